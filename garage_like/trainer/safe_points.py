"""Safe points: the moments between two epochs, and who watches a run there.

The determinism auditor is a watcher; nothing here costs a run that nobody watches.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SafePoint:
    """A run between two epochs.

    Attributes:
        epoch: the last that was finished; -1 before the first.
        begins: whether training is about to begin here: from nothing, or as restored.
        n_epochs: epochs that the run has in total.
        graph: its objects by name, as a snapshot saves them.
        row: the epoch's row of the log; empty where training begins.
        run_dir: the run directory.
        wait: returns when all snapshots that were taken are durable or have failed.
    """

    epoch: int
    begins: bool
    n_epochs: int
    graph: Mapping[str, Any]
    row: Mapping[str, Any]
    run_dir: Path
    wait: Callable[[], Any]


Watcher = Callable[[SafePoint], None]
_watchers: list[Watcher] = []
_stops: list[int] = []


@contextlib.contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Call a watcher at every safe point that a run of this process reaches in the block."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def is_watched() -> bool:
    """Tell whether anybody watches."""
    return bool(_watchers)


def reach(point: SafePoint) -> None:
    """Tell the watchers that a run is at a safe point."""
    for watcher in tuple(_watchers):
        watcher(point)


@contextlib.contextmanager
def stopping_after(n_epochs: int | None) -> Iterator[None]:
    """Let runs of this process save and end, as if asked to, after so many epochs in all."""
    _stops.append(sys.maxsize if n_epochs is None else n_epochs)
    try:
        yield
    finally:
        _stops.pop()


def stops_after(n_epochs: int) -> bool:
    """Tell whether a run is to stop after so many epochs."""
    return any(n_epochs >= stop for stop in _stops)
