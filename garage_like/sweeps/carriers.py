"""Carriers: where the processes of trials run. What they do there is the same everywhere."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from garage_like.logging.notices import printable, say_aside
from garage_like.sweeps import submission

Carrier = Callable[[str, Path, int], int]
"""Takes a job, as `sweeps.trial` does, the file that is printed to, and the lifeline of the sweep,
a descriptor that ends with it; returns an exit status, that of no ended process if none is known.
"""

_TRIES = 3
_UNKNOWN = -1
_REFUSED = "sbatch: error:"
_PAUSES = (5.0, 15.0, 45.0, 135.0)
"""Seconds between two tries to submit a job that Slurm does not take."""


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

    The status of sbatch is trusted only if it is 0: it is 1 as well where Slurm has ended the job.
    A trial that has failed says so itself. One that Slurm does not take, as when a queue is full,
    is submitted again a few times; then it waits for the next start.

    Args:
        options: of sbatch, such as `['--partition=gpu', '--time=4:00:00']`.
    """

    def carry(job: str, log: Path, lifeline: int) -> int:
        if shutil.which("sbatch") is None:
            raise FileNotFoundError("trials go to Slurm by sbatch, which is not on this machine")
        name = f"{log.parent.name}-{log.stem}-{uuid.uuid4().hex[:8]}"
        words = ["--wait", f"--output={log}", "--open-mode=append", *options, f"--job-name={name}"]
        script = f"exec {shlex.join(command_of(job))}"
        # A session of its own: Ctrl-C is for the sweep, which asks jobs to save and end.
        command = [sys.executable, "-I", submission.__file__, str(lifeline), name, *words]
        for pause in (*_PAUSES, None):
            asked = subprocess.run(
                [*command, "--wrap", script],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                pass_fds=[lifeline],
                start_new_session=True,
            )
            said = " ".join(asked.stderr.split())
            is_taken = bool(asked.stdout) or _REFUSED not in said
            if is_taken or asked.returncode == 0:
                if said:
                    say_aside(printable(f"{log.stem}  {said}"))
                break
            then = "left to the next start" if pause is None else f"tried again in {pause:g} s"
            say_aside(printable(f"{log.stem}  not taken by Slurm, {then}: {said}"))
            if select.select([lifeline], [], [], pause or 0.0)[0]:
                break
        return 0 if asked.returncode == 0 else _UNKNOWN

    return carry


CARRIERS: dict[str, Carrier] = {"local": local, "ray": ray, "slurm": slurm()}
