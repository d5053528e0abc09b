"""The determinism auditor: a run killed and resumed after each epoch against one that is not.

Files, below the folder of the audit: `straight/` is a run directory, and so are `killed/`, resumed
from there, and `again/`, resumed by running the script again; beside them,
for each process, its job, the states that it noted (`*.jsonl`) and what it printed (`*.log`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from garage_like.audit.difference import Difference, State, first_difference
from garage_like.audit.leg import Leg, write
from garage_like.logging.log_files import make_directory

WAYS = {"killed": "from its directory", "again": "by its script"}
RESULTS = ("same", "different", "not reached")


class AuditError(Exception):
    """Raise when a script cannot be audited: it fails, or does not train."""


@dataclass
class Audit:
    """What an audit came to.

    Attributes:
        script: what was run, with its arguments.
        n_epochs: epochs that were trained.
        results: for each epoch, `same`, `different` or `not reached`.
        num_compared: for each epoch, how many parts of the state were compared.
        difference: the first, or None.
        way: how the run that differs was resumed: `from its directory` or `by its script`.
        folder: where the runs are, or None if they were removed.
    """

    script: list[str]
    n_epochs: int = 0
    results: list[str] = field(default_factory=list)
    num_compared: list[int] = field(default_factory=list)
    difference: Difference | None = None
    way: str | None = None
    folder: str | None = None

    @property
    def equal(self) -> bool:
        """Whether killing and resuming changed nothing."""
        return self.difference is None


def verify_resume(
    script: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    *,
    n_epochs: int = 5,
    folder: str | os.PathLike[str] | None = None,
    ignore: Iterable[str] = (),
    report: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Check that an experiment, killed and resumed after each epoch, computes what it would have.

    The script is run three times, each time in fresh processes: once straight, once killed
    (SIGKILL) after each epoch and resumed from its directory, and once killed and resumed by
    running the script again. At every safe point they must agree in all that a snapshot saves and
    in the row of the log, bit for bit; times are left out.

    Args:
        script: a Python file that calls an experiment (`wrap_experiment`). The first run that it
            trains is audited.
        arguments: of the script.
        n_epochs: how many epochs to train; fewer if the experiment has fewer.
        folder: a new directory for the runs, which is kept; None: a temporary one, which is kept
            if they differ.
        ignore: regular expressions; paths in which one is found are not compared.
        report: called with a line of text when a process begins.

    Raises:
        FileNotFoundError: if there is no such script.
        FileExistsError: if the folder is there and holds something.
        ValueError: if `n_epochs` is less than 2, since then nothing is resumed.
        AuditError: if the script fails, or trains nothing.
    """
    path = Path(script)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a Python script")
    if n_epochs < 2:
        raise ValueError(f"n_epochs must be at least 2, or nothing is resumed; got {n_epochs}")
    place = _new_folder(folder)
    legs = _Legs(str(path.resolve()), list(arguments), place, report)
    audit = Audit([str(path), *arguments], folder=str(place))
    try:
        _compare(audit, legs, n_epochs, list(ignore))
    except BaseException:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
        raise
    if folder is None and audit.equal:
        shutil.rmtree(place, ignore_errors=True)
        audit.folder = None
    return audit


def _new_folder(folder: str | os.PathLike[str] | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="verify-resume-"))
    place = Path(folder).absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise FileExistsError(f"{place}: expected a new or an empty directory")
    make_directory(place)
    return place


def _compare(audit: Audit, legs: _Legs, n_epochs: int, ignore: list[str]) -> None:
    straight = legs.run("straight", n_epochs - 1, resumes=False)
    audit.n_epochs = straight[-1].epoch + 1
    audit.results = ["not reached"] * audit.n_epochs
    ends = {state.epoch: state for state in straight if not state.begins}
    audit.num_compared = [len(ends[epoch].digests) for epoch in range(audit.n_epochs)]
    expected = {**ends, -1: straight[0]}
    unseeded: set[str] = set()
    for epoch in range(audit.n_epochs):
        for name, way in WAYS.items():
            states = legs.run(name, epoch, resumes=epoch > 0, by_script=name == "again")
            audit.difference = first_difference(expected, states, ignore, unseeded)
            if audit.difference is not None:
                audit.results[epoch], audit.way = "different", way
                return
        audit.results[epoch] = "same"


@dataclass
class _Legs:
    """Runs one process after another."""

    script: str
    arguments: list[str]
    place: Path
    report: Callable[[str], None]

    def run(
        self, name: str, last_epoch: int, *, resumes: bool, by_script: bool = False
    ) -> list[State]:
        """Train until `last_epoch` is saved and the process kills itself; return its states."""
        what = "resume" if resumes else "start"
        self.report(f"{name}: {what}, killed after epoch {last_epoch}")
        stem = self.place / f"{name}-{last_epoch}"
        record = stem.with_suffix(".jsonl")
        run_dir = str(self.place / name)
        leg = Leg(self.script, self.arguments, run_dir, resumes, last_epoch, str(record), by_script)
        write(leg, stem.with_suffix(".json"))
        output = stem.with_suffix(".log")
        status = _run_process(stem.with_suffix(".json"), output)
        states = [State.of(line) for line in _lines(record)]
        finished = [state for state in states if not state.begins]
        if status not in (0, -signal.SIGKILL):
            raise AuditError(f"{self._shown(what)} failed: {_last_line(output)}")
        if not finished:
            raise AuditError(
                f"{self._shown(what)} trained no epoch that is saved; expected a script that calls"
                " a function decorated with wrap_experiment, whose Trainer is given its ctxt"
            )
        return states

    def _shown(self, what: str) -> str:
        return self.script if what == "start" else f"the resume of {self.script}"


def _run_process(job: Path, output: Path) -> int:
    """Run a leg to its end; whatever processes it started end with it."""
    with open(output, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "garage_like.audit.leg", str(job)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _lines(record: Path) -> list[dict[str, Any]]:
    if not record.exists():
        return []
    return [json.loads(line) for line in record.read_text().splitlines()]


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
