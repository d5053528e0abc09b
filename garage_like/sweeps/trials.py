"""Trials: the runs of a sweep as files, and their processes side by side.

SWEEP/sweep.json        what it was started with
SWEEP/decisions.json    what was decided meanwhile, written before it was acted on
SWEEP/0000/             an ordinary run: `ls`, `show`, `resume`, `plot` work on it
SWEEP/0000.log          what the script printed
SWEEP/0000.done.json    how it ended, written last: a trial without it is started, or goes on
"""

from __future__ import annotations

import abc
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garage_like.files.run_files import find_json
from garage_like.logging.log_files import make_directory, replace_content
from garage_like.snapshot.disk.lock import RunLock
from garage_like.sweeps.carriers import Carrier, local
from garage_like.sweeps.journal import Journal, as_json
from garage_like.sweeps.progress import has_ended_with, standing, waits_after, write_end

FILE = "sweep.json"
SEED = "seed"


@dataclass(frozen=True)
class Outcome:
    """How a trial stands.

    Attributes:
        number: of the trial, from 0.
        parameters: what it was given.
        run: its run directory.
        status: exit status of its process; None while it has not ended.
        epoch: the last that is saved; None if none is.
        metric: what the sweep is judged by, in that epoch; None if it has no such metric.
        pruned: whether the sweep has given it up.
    """

    number: int
    parameters: dict[str, Any]
    run: Path
    status: int | None
    epoch: int | None
    metric: float | None
    pruned: bool = False


@dataclass(frozen=True)
class Leg:
    """A stretch of a trial: from where it stands until so many epochs in all, or its end.

    Attributes:
        name: of the run.
        until: how many epochs; None: all.
    """

    name: str
    until: int | None = None


class Trials(abc.ABC):
    """Run the trials of a script; killed and started again, go on.

    Args:
        directory: of the sweep.
        script: path of the script.
        arguments: of the script.
        plan: what it is started with beside these, to be told from another sweep's.
        metric: column of the log that trials are judged by.
        mode: `'max'` or `'min'`.
        carrier: where trials run.

    Raises:
        ValueError: if the directory holds another sweep.
        FileNotFoundError: if there is no such script.
    """

    options: Mapping[str, Any] = {}
    """Of `wrap_experiment`, that trials are run with."""

    def __init__(
        self,
        directory: Path,
        script: Path,
        arguments: Sequence[str],
        plan: Mapping[str, Any],
        metric: str,
        mode: str,
        carrier: Carrier = local,
    ) -> None:
        if mode not in ("max", "min"):
            raise ValueError(f"mode must be 'max' or 'min', got {mode!r}")
        if not script.is_file():
            raise FileNotFoundError(f"{script}: no such script")
        self.directory, self.metric, self.mode = directory, metric, mode
        self._sign = 1.0 if mode == "max" else -1.0
        self._carrier = carrier
        self._plan = {"script": str(script.resolve()), "arguments": list(arguments), **plan}
        self._journal = Journal(directory)
        self._under_way: set[str] = set()
        self._take_up()

    def _take_up(self) -> None:
        """Take up what is decided already; again once nobody else can decide any more.

        Raises:
            ValueError: if the directory holds another sweep.
        """
        found = find_json(self.directory / FILE)
        if found is not None and found != json.loads(json.dumps(self._plan)):
            raise ValueError(
                f"{self.directory} holds another sweep, of {found.get('script')}, or with other"
                " settings; choose another directory, or remove it"
            )
        self._journal.read()
        self._recall()

    @abc.abstractmethod
    def _recall(self) -> None:
        """Follow the journal's decisions as far as they go."""

    @abc.abstractmethod
    def members(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the names of the runs, by number, and the parameters of each."""

    @abc.abstractmethod
    def _ready(self) -> list[Leg]:
        """Decide what can be decided; return the legs that may start, the most urgent first."""

    def run(self, jobs: int = 1, told: Callable[[Outcome], None] = lambda outcome: None) -> None:
        """Run what has not ended, `jobs` side by side.

        Args:
            jobs: processes at a time.
            told: called with each trial that ends, or was stopped.

        Raises:
            RunLockedError: if another process runs this sweep.
            ValueError: if the directory holds another sweep by now.
        """
        make_directory(self.directory)
        lock = RunLock(self.directory)
        lock.acquire()
        try:
            self._take_up()
            replace_content(self.directory / FILE, as_json(self._plan))
            self._work(jobs, told)
        finally:
            lock.release()

    def _work(self, jobs: int, told: Callable[[Outcome], None]) -> None:
        running: dict[Future[None], Leg] = {}
        begun: set[Leg] = set()  # one that was stopped goes on with the next sweep, not this one
        lifeline, ours = os.pipe()
        # On the way out, by Ctrl-C say, trials are told first, and waited for then.
        with open(lifeline, "rb"), ThreadPoolExecutor(jobs) as pool, open(ours, "wb"):
            while True:
                for leg in self._ready():
                    is_new = leg not in begun and leg.name not in self._under_way
                    if len(running) < jobs and is_new:
                        begun.add(leg)
                        self._under_way.add(leg.name)
                        running[pool.submit(self._run, leg, lifeline)] = leg
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    leg = running.pop(done)
                    self._under_way.discard(leg.name)
                    done.result()
                    if self._has_ended(leg.name) or not self._waits_after(leg.name, leg.until):
                        told(self._outcome_of(leg.name))

    def _run(self, leg: Leg, lifeline: int) -> None:
        job = {
            "script": self._plan["script"],
            "arguments": self._plan["arguments"],
            "parameters": dict(self.members())[leg.name],
            "options": dict(self.options),
            "run_dir": str(self._run_dir(leg.name)),
            "until": leg.until,
            "done": str(self._done(leg.name).absolute()),
            "cwd": os.getcwd(),
        }
        log = self.directory.absolute() / f"{leg.name}.log"
        status = self._carrier(json.dumps(job), log, lifeline)
        # Else it was asked to stop, or never began; most trials have told it themselves.
        if has_ended_with(status) and not self._has_ended(leg.name):
            self._end(leg.name, status=status)

    def _end(self, name: str, **how: Any) -> None:
        write_end(self._done(name), **how)

    def _has_ended(self, name: str) -> bool:
        return self._done(name).is_file()

    def _waits_after(self, name: str, n_epochs: int | None) -> bool:
        """Tell whether a run has come so far, has more to do, and nobody is at it."""
        if n_epochs is None or name in self._under_way:
            return False
        return waits_after(self._run_dir(name), n_epochs)

    def _score(self, name: str) -> float | None:
        """Return what a run is judged by as it stands, the more the better; None for NaN."""
        metric = self._outcome_of(name).metric
        return None if metric is None or math.isnan(metric) else self._sign * metric

    def outcomes(self) -> list[Outcome]:
        """Return how each trial stands, in the order of their numbers."""
        return [self._outcome_of(name) for name, _ in self.members()]

    def _outcome_of(self, name: str) -> Outcome:
        names = [member for member, _ in self.members()]
        number, run = names.index(name), self._run_dir(name)
        how = find_json(self._done(name)) or {}
        manifest = standing(run)
        epoch = None if manifest is None else manifest.epoch
        metric = None if manifest is None else manifest.metric(self.metric)
        parameters, pruned = self.members()[number][1], bool(how.get("pruned"))
        return Outcome(number, parameters, run, how.get("status"), epoch, metric, pruned)

    def best(self) -> Outcome | None:
        """Return the trial with the best metric; ties go to the earlier. None if none has one."""
        judged = [o for o in self.outcomes() if o.metric is not None and not math.isnan(o.metric)]
        return max(judged, key=lambda o: (self._sign * (o.metric or 0.0), -o.number), default=None)

    def _run_dir(self, name: str) -> Path:
        return self.directory.absolute() / name

    def _done(self, name: str) -> Path:
        return self.directory / f"{name}.done.json"
