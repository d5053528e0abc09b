"""Carriers: where the processes of trials run. What they do there is the same everywhere."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

Carrier = Callable[[str, Path, int], int]
"""Takes a job, as `sweeps.trial` does, the file that is printed to, and the lifeline of the sweep,
a descriptor that ends with it; returns an exit status, that of no ended process if none is known.
"""

_TRIES = 3
_UNKNOWN = -1


def command_of(job: str, lifeline: int | None = None) -> list[str]:
    """Return the command that does a job; it saves and ends when the lifeline ends."""
    held = [] if lifeline is None else [str(lifeline)]
    return [sys.executable, "-m", "garage_like.sweeps.trial", job, *held]


def local(job: str, log: Path, lifeline: int) -> int:
    """Run a trial in a process of this machine, which saves and ends when the lifeline ends."""
    with open(log, "ab") as output:
        return subprocess.Popen(
            command_of(job, lifeline),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lifeline],
        ).wait()


def ray(job: str, log: Path, lifeline: int) -> int:
    """Run a trial as a task of a Ray cluster, whose machines share the sweep's directory.

    A machine that dies costs what the trial has not saved: another goes on with it.
    """
    from garage_like.sampler.ray_cluster import connected

    library = connected()
    task = library.remote(_elsewhere).options(max_retries=_TRIES, scheduling_strategy="SPREAD")
    status: int = library.get(task.remote(job, log))
    return status


def _elsewhere(job: str, log: Path) -> int:
    """Run a trial on this machine, which saves and ends if this process dies."""
    lifeline, ours = os.pipe()
    try:
        return local(job, log, lifeline)
    finally:
        os.close(ours)
        os.close(lifeline)


def slurm(options: Sequence[str] = ()) -> Carrier:
    """Return what submits a trial to Slurm, and waits; machines share the sweep's directory.

    The status of sbatch is trusted only if it is 0: it is 1 as well where nothing was submitted,
    and where Slurm has ended the job. A trial that has failed says so itself.

    Args:
        options: of sbatch, such as `['--partition=gpu', '--time=4:00:00']`.
    """

    def submit(job: str, log: Path, lifeline: int) -> int:
        if shutil.which("sbatch") is None:
            raise FileNotFoundError("trials go to Slurm by sbatch, which is not on this machine")
        script = f"exec {shlex.join(command_of(job))}"
        command = ["sbatch", "--wait", f"--output={log}", "--open-mode=append", *options]
        asked = subprocess.run([*command, "--wrap", script], stdout=subprocess.DEVNULL)
        return 0 if asked.returncode == 0 else _UNKNOWN

    return submit


CARRIERS: dict[str, Carrier] = {"local": local, "ray": ray, "slurm": slurm()}
