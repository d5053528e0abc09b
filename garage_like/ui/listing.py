"""Listing: the runs below the root as a page asks for them: searched, filtered, sorted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from garage_like.runs.index import overviews
from garage_like.runs.notes import read_notes
from garage_like.runs.overview import Overview
from garage_like.runs.selection import Condition, check_names, in_order
from garage_like.snapshot.disk.layout import SNAPSHOTS, epoch_name
from garage_like.ui.places import Places

PIECE = 100
COLUMNS = {
    "run": "run",
    "algo": "algorithm",
    "env": "environment",
    "epochs": "epochs",
    "steps": "env steps",
    "return": "return",
    "age": "last snapshot",
    "exact": "exact",
}
_FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Wish:
    """What of the list is wanted.

    Attributes:
        search: words, each of which is in a run's name, algorithm, environment, tags or note.
        where: conditions, parted by spaces: `lr<1e-3 tag=baseline`.
        sort: a column, falling after a `-`.
        start: how many come before.
    """

    search: str = ""
    where: str = ""
    sort: str = "age"
    start: int = 0


@dataclass(frozen=True)
class Piece:
    """Some lines of the list.

    Attributes:
        runs: to be shown.
        total: how many there are in all that were wished for.
        of: how many there are.
        next: where the next piece starts; None if there is none.
        problem: what could not be understood.
    """

    runs: list[Overview]
    total: int
    of: int
    next: int | None
    problem: str = ""


class Listing:
    """Know the runs below the root, not older than a moment.

    Args:
        places: the root.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._runs: list[Overview] = []
        self._read_at = -1e9
        self._lasted = 0.0
        self._lock = threading.Lock()

    def runs(self) -> list[Overview]:
        """Return all runs; with many, what was seen a few seconds ago will do."""
        with self._lock:
            began = time.monotonic()
            if began - self._read_at > max(_FRESH_SECONDS, 10.0 * self._lasted):
                found = overviews(self._places.root)
                self._runs = [run for run in found if not _leads_out(run)]
                self._read_at = time.monotonic()
                self._lasted = self._read_at - began
            return self._runs

    def look_again(self, run: Path) -> None:
        """Take note of what the page has just changed of a run."""
        with self._lock:
            notes = read_notes(run)
            tags, note = list(notes.tags), notes.note
            self._runs = [
                replace(one, tags=tags, note=note) if one.run == str(run) else one
                for one in self._runs
            ]

    def forget(self) -> None:
        """Read the list again when it is asked for next: there is a new run."""
        with self._lock:
            self._read_at = -1e9

    def piece(self, wish: Wish) -> Piece:
        """Return some lines of the list."""
        every = self.runs()
        runs: Sequence[Overview] = every
        try:
            conditions = [Condition.parse(text) for text in wish.where.split()]
            names = [condition.name for condition in conditions]
            check_names([*names, wish.sort.removeprefix("-")], every) if every else None
        except ValueError as error:
            return Piece([], 0, len(every), None, str(error))
        words = wish.search.lower().split()
        if words:
            texts = ((run, self._text(run)) for run in runs)
            runs = [run for run, text in texts if all(word in text for word in words)]
        runs = [run for run in runs if all(one.holds(run) for one in conditions)]
        runs = in_order(runs, wish.sort)
        end = wish.start + PIECE
        return Piece(
            runs[wish.start : end], len(runs), len(every), end if end < len(runs) else None
        )

    def _text(self, run: Overview) -> str:
        parts = (self._places.name_of(run.run), run.algorithm, run.environment, *run.tags, run.note)
        return " ".join(filter(None, parts)).lower()


def _leads_out(run: Overview) -> bool:
    if run.last_epoch is None:
        return os.path.islink(os.path.join(run.run, SNAPSHOTS))
    snapshots = os.path.join(run.run, SNAPSHOTS)
    newest = os.path.join(snapshots, epoch_name(run.last_epoch))
    return os.path.islink(snapshots) or os.path.islink(newest)
