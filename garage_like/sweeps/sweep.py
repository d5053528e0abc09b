"""Sweep: the trials of a script, as files, run side by side, none twice.

SWEEP/sweep.json        script and settings; the trials and what each varies, decided at the start
SWEEP/0000/             an ordinary run: `ls`, `show`, `resume`, `plot` work on it
SWEEP/0000.log          what the script printed
SWEEP/0000.done.json    how it ended, written last: a trial without it is started, or goes on
"""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotError
from garage_like.files.run_files import find_json
from garage_like.logging.log_files import replace_content
from garage_like.runs.overview import newest_manifest
from garage_like.snapshot.disk.lock import RunLock
from garage_like.sweeps.settings import Setting, drawn, grid

FILE = "sweep.json"
SEED = "seed"


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        number: of the trial, from 0.
        parameters: what it was given.
        run: its run directory.
        status: exit status of its process; None while it has not ended.
        epoch: the last that is saved; None if none is.
        metric: what the sweep is judged by, in that epoch; None if it has no such metric.
    """

    number: int
    parameters: dict[str, Any]
    run: Path
    status: int | None
    epoch: int | None
    metric: float | None


class Sweep:
    """Run a script once for each trial; killed and started again, it goes on.

    The script must call one experiment, a function decorated with `wrap_experiment`, which takes
    the parameters that vary. Each trial is a run of its own with `auto_resume=True`: trials that
    have ended stay, others go on where they were.

    Args:
        directory: of the sweep.
        script: path of the script.
        settings: what varies.
        seeds: so many runs of each, with `seed=1, 2, …`; 0 leaves the parameter `seed` alone.
        trials: draw so many trials at random; None for every combination.
        seed: what draws derive from.
        arguments: of the script.
        metric: column of the log that trials are judged by.
        mode: `'max'` or `'min'`.

    Raises:
        ValueError: if the directory holds another sweep, or the settings contradict each other.
        FileNotFoundError: if there is no such script.
    """

    def __init__(
        self,
        directory: Path,
        script: Path,
        settings: Sequence[Setting],
        *,
        seeds: int = 0,
        trials: int | None = None,
        seed: int = 1,
        arguments: Sequence[str] = (),
        metric: str = "Evaluation/AverageReturn",
        mode: str = "max",
    ) -> None:
        names = [setting.name for setting in settings] + [SEED] * bool(seeds)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: set twice; give each parameter once")
        if mode not in ("max", "min"):
            raise ValueError(f"mode must be 'max' or 'min', got {mode!r}")
        if not script.is_file():
            raise FileNotFoundError(f"{script}: no such script")
        chosen = (
            list(grid(settings))
            if trials is None
            else [drawn(settings, seed, number) for number in range(trials)]
        )
        each_seed: list[dict[str, Any]] = [{SEED: number + 1} for number in range(seeds)] or [{}]
        self.directory = directory
        self.metric, self.mode = metric, mode
        self._trials = [{**one, **other} for one, other in itertools.product(chosen, each_seed)]
        self._plan = {
            "script": str(script.resolve()),
            "arguments": list(arguments),
            "trials": self._trials,
        }
        found = find_json(directory / FILE)
        if found is not None and found != json.loads(json.dumps(self._plan)):
            raise ValueError(
                f"{directory} holds another sweep, of {found.get('script')} with"
                f" {len(found.get('trials', []))} trials; choose another directory, or remove it"
            )

    def run(self, jobs: int = 1, told: Callable[[Outcome], None] = lambda outcome: None) -> None:
        """Run what has not ended, `jobs` side by side.

        Args:
            jobs: processes at a time.
            told: called with each trial that ends.

        Raises:
            RunLockedError: if another process runs this sweep.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = RunLock(self.directory)
        lock.acquire()
        try:
            replace_content(self.directory / FILE, _as_json(self._plan))
            left = [outcome.number for outcome in self.outcomes() if outcome.status is None]
            telling = threading.Lock()

            def work(number: int) -> None:
                self._run(number)
                with telling:
                    told(self.outcome(number))

            with ThreadPoolExecutor(jobs) as pool:
                list(pool.map(work, left))
        finally:
            lock.release()

    def _run(self, number: int) -> None:
        lifeline, ours = os.pipe()  # ends with this process, and the trial saves and ends, too
        job = {
            "script": self._plan["script"],
            "arguments": self._plan["arguments"],
            "parameters": self._trials[number],
            "run_dir": str(self._run_dir(number)),
            "lifeline": lifeline,
        }
        with open(self.directory / f"{number:04d}.log", "ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "garage_like.sweeps.trial", json.dumps(job)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[lifeline],
            )
        os.close(lifeline)
        try:
            status = process.wait()
        finally:
            os.close(ours)
        if status >= 0 and status < 128:  # else it was asked to stop, and goes on next time
            replace_content(self._done(number), _as_json({"status": status}))

    def outcomes(self) -> list[Outcome]:
        """Return how each trial stands, in the order of their numbers."""
        return [self.outcome(number) for number in range(len(self._trials))]

    def outcome(self, number: int) -> Outcome:
        """Return how a trial stands."""
        run = self._run_dir(number)
        status = (find_json(self._done(number)) or {}).get("status")
        epoch = metric = None
        try:
            manifest, _ = newest_manifest(run) if run.is_dir() else (None, [])
        except (OSError, SnapshotError):
            manifest = None
        if manifest is not None:
            epoch, metric = manifest.epoch, manifest.metric(self.metric)
        return Outcome(number, self._trials[number], run, status, epoch, metric)

    def best(self) -> Outcome | None:
        """Return the trial with the best metric; ties go to the earlier. None if none has one."""
        sign = 1.0 if self.mode == "max" else -1.0
        judged = [o for o in self.outcomes() if o.metric is not None and not math.isnan(o.metric)]
        return max(judged, key=lambda o: (sign * (o.metric or 0.0), -o.number), default=None)

    def _run_dir(self, number: int) -> Path:
        return self.directory.absolute() / f"{number:04d}"

    def _done(self, number: int) -> Path:
        return self.directory / f"{number:04d}.done.json"


def _as_json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
