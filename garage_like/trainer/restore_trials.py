"""Trying what was saved: while a run trains, its snapshots are restored in a process beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from garage_like.logging import logger
from garage_like.snapshot.trial import GONE, TOO_LARGE, RestoreTrial

ENVIRONMENT_VARIABLE = "GARAGE_LIKE_TRY_RESTORE"
"""Seconds that the end of a run waits for a trial, 0 for none at all.

A test suite that trains a thousand runs may want the latter. Training itself never waits.
"""

MAX_TRIALS = 3
MAX_SECONDS = 5.0


class RestoreTrials:
    """Try the first snapshot of a run, and one that brings new classes of objects.

    Args:
        wanted: whether to.

    Attributes:
        are_due: whether this stretch of training has something to try.
    """

    def __init__(self, wanted: bool) -> None:
        self.are_due = True
        self._seconds = _seconds_to_wait()
        self._wanted = wanted and self._seconds > 0
        self._trial: RestoreTrial | None = None
        self._known: frozenset[type] = frozenset()
        self._trying: frozenset[type] = frozenset()
        self._latest: tuple[Path, frozenset[type]] | None = None
        self._num_trials = 0

    def begin(self, snapshot: Path, classes: frozenset[type]) -> None:
        """Try a durable snapshot, if it brings something new; returns at once.

        Args:
            snapshot: the directory.
            classes: of its objects, as far as is known.
        """
        if not (self._wanted and self.are_due) or classes <= self._known | self._trying:
            return
        self._latest = snapshot, classes
        if self._trial is not None or self._num_trials == MAX_TRIALS:
            return
        self._num_trials += 1
        try:
            self._trial = RestoreTrial(snapshot)
        except (OSError, RuntimeError, MemoryError) as error:
            self._wanted = False
            logger.log(f"The restore of this run is not tried: no process can be had: {error}")
            return
        self._trying, self._latest = classes, None

    def problems(self, waits: bool = False) -> list[str]:
        """Return what would not come back, as far as is known now.

        Args:
            waits: whether to wait until all that is to be tried has been; not for long.
        """
        found: list[str] = []
        end = time.monotonic() + self._seconds
        while self._trial is not None:
            if not self._trial.wait(max(0.0, end - time.monotonic()) if waits else 0.0):
                if waits:
                    logger.log(
                        "The run has ended before its restore was tried:"
                        " garage-like verify --restore does so at any time"
                    )
                break
            heard = self._trial.problems()
            if heard == [TOO_LARGE]:
                logger.log(
                    "The restore of this run is not tried, since there is not enough memory beside"
                    " training: garage-like verify --restore does so at any time"
                )
            elif heard != [GONE]:
                self._known |= self._trying
                found += heard
            self.close()
            if self._latest is not None:
                self.begin(*self._latest)
        if waits:
            self.close()
        return found

    def close(self) -> None:
        """End a trial that is under way."""
        if self._trial is not None:
            self._trial.close()
        self._trial, self._trying = None, frozenset()


def _seconds_to_wait() -> float:
    try:
        return float(os.environ.get(ENVIRONMENT_VARIABLE, MAX_SECONDS))
    except ValueError:
        return MAX_SECONDS
