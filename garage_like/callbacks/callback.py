"""Callback: what is called after each epoch, and what it is told of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from garage_like.configuration.configured import Configured
from garage_like.logging import tabular

if TYPE_CHECKING:
    from garage_like.interfaces import RunHandle

RETURN = "Evaluation/AverageReturn"


class EndedEpoch:
    """An epoch that has just ended: its row is not yet written, its snapshot not yet taken.

    Attributes:
        epoch: its number.
        algo: what is trained.
        trainer: trains it.
        saves: whether a callback wants a snapshot of it.
        pins: whether that snapshot is to stay.

    Args:
        epoch: its number.
        algo: what is trained.
        trainer: trains it.
    """

    def __init__(self, epoch: int, algo: Any, trainer: RunHandle) -> None:
        self.epoch = epoch
        self.algo = algo
        self.trainer = trainer
        self.saves = False
        self.pins = False

    @property
    def row(self) -> Mapping[str, Any]:
        """The epoch's row of the log, with what callbacks before this one have logged."""
        found: dict[str, Any] = tabular.as_primitive_dict
        return found

    def number(self, key: str) -> float:
        """Return a number of the row; NaN where this epoch has none.

        Args:
            key: a column, `Evaluation/AverageReturn` say.
        """
        value = self.row.get(key, math.nan)
        try:
            return float(value)
        except (TypeError, ValueError):
            return math.nan

    def log(self, key: str, value: Any) -> None:
        """Give the row a column."""
        tabular.record(key, value)

    def save(self, *, pin: bool = True) -> None:
        """Take a snapshot of this epoch, whatever the schedule says.

        Args:
            pin: keep it for ever; else it is pruned when its time comes.
        """
        self.saves = True
        self.pins = self.pins or pin


class Callback(Configured):
    """Be called after each epoch; what attributes hold is part of every snapshot.

    Derive from it and implement `on_epoch_end`. What it changes of the algorithm, or draws from a
    generator, is training like any other and resumes exactly too.
    """

    def on_epoch_end(self, ended: EndedEpoch) -> bool | None:
        """Do something; return False to end training with this epoch, as in Stable-Baselines3.

        Args:
            ended: the epoch, with its row of the log.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement on_epoch_end")


AnyCallback = Callback | Callable[[EndedEpoch], bool | None]
"""A plain function is one too: code of the script; a snapshot holds what it has changed."""
