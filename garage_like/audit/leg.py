"""One leg of an audit, a process of its own: train, note the state at safe points, be killed.

`python -m garage_like.audit.leg JOB.json`. Writes one line of JSON for each safe point to the file
that the job names. The process ends itself with SIGKILL: nothing can prepare for that, and nothing
that is not on the disk outlives it.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from garage_like.trainer.safe_points import SafePoint, watching

IMPOSED = {
    "snapshot_mode": "all",
    "snapshot_gap": 1,
    "gap_unit": "epoch",
    "max_to_keep": None,
    "async_save": False,
    "auto_resume": False,
    "use_existing_dir": False,
    "archive_launch_repo": False,
    "try_restore": False,
}
"""Options of the experiment while it is audited: every epoch is saved before the next begins."""


@dataclass(frozen=True)
class Leg:
    """What to do between two kills.

    Attributes:
        script: the file to run, if the run begins here.
        arguments: of the script.
        run_dir: the run directory.
        resumes: whether the run goes on from its newest snapshot.
        last_epoch: the process is killed once this epoch is saved.
        record: file that the states are written to.
        by_script: whether the run goes on by running the script again, and not from its directory.
    """

    script: str
    arguments: list[str]
    run_dir: str
    resumes: bool
    last_epoch: int
    record: str
    by_script: bool = False

    def run(self) -> None:
        """Train until the kill."""
        with watching(self.note):
            if self.resumes and not self.by_script:
                self._resume()
            else:
                self._start()

    def note(self, point: SafePoint) -> None:
        """Write the state down; end the process if this was the last epoch to do."""
        if os.path.realpath(point.run_dir) != os.path.realpath(self.run_dir):
            return
        from garage_like.audit.state import left_out, state_of

        point.wait()
        line = {
            "epoch": point.epoch,
            "begins": point.begins,
            "n_epochs": point.n_epochs,
            "state": state_of(point),
            "left_out": left_out(point.graph),
        }
        with open(self.record, "a") as file:
            file.write(json.dumps(line) + "\n")
        is_last = point.epoch >= min(self.last_epoch, point.n_epochs - 1)
        if is_last and not point.begins:
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    def _start(self, *, again: bool = False) -> None:
        from garage_like.snapshot.imposed import imposing

        sys.argv = [self.script, *self.arguments]
        sys.path[0] = str(Path(self.script).resolve().parent)
        told = {"use_existing_dir": again, "auto_resume": self.by_script}
        options = {**IMPOSED, "log_dir": self.run_dir, **told}
        with imposing(options):
            runpy.run_path(self.script, run_name="__main__")

    def _resume(self) -> None:
        from garage_like.runs.continuation import continuation

        found = continuation(Path(self.run_dir), None, None)
        if found.is_script_loop:
            self._start(again=True)
            return
        with contextlib.ExitStack() as stack:
            stack.enter_context(found.logging(console=True))
            stack.enter_context(found.trainer()).resume()


def write(leg: Leg, path: Path) -> None:
    """Write a job down."""
    path.write_text(json.dumps(asdict(leg)))


if __name__ == "__main__":
    Leg(**json.loads(Path(sys.argv[1]).read_bytes())).run()
