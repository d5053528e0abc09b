"""Callbacks that end training."""

from __future__ import annotations

import math

from garage_like.callbacks.callback import RETURN, Callback, EndedEpoch
from garage_like.logging import logger


class StopTrainingOnRewardThreshold(Callback):
    """End training once returns are good enough.

    Args:
        reward_threshold: the return to reach.
        key: the column of the log that is looked at.
    """

    def __init__(self, reward_threshold: float, *, key: str = RETURN) -> None:
        self.reward_threshold = reward_threshold
        self.key = key

    def on_epoch_end(self, ended: EndedEpoch) -> bool:
        """Go on while the column is below the threshold."""
        number = ended.number(self.key)
        if not number >= self.reward_threshold:
            return True
        logger.log(f"{self.key} is {number:.6g}, and {self.reward_threshold:.6g} was wanted")
        return False


class StopTrainingOnNoModelImprovement(Callback):
    """End training once returns have not become better for some epochs.

    An epoch without a number counts for nothing.

    Args:
        max_no_improvement_evals: so many numbers in a row that are no better than the best may
            pass; the next ends training.
        min_evals: numbers before which training does not end.
        key: the column of the log that is looked at.

    Attributes:
        best: the best number so far.
        no_improvement_evals: numbers since then.
        num_evals: numbers in all.
    """

    def __init__(
        self, max_no_improvement_evals: int, min_evals: int = 0, *, key: str = RETURN
    ) -> None:
        if max_no_improvement_evals < 0:
            raise ValueError(
                "StopTrainingOnNoModelImprovement: max_no_improvement_evals must be 0 or more, got"
                f" {max_no_improvement_evals!r}"
            )
        self.max_no_improvement_evals = max_no_improvement_evals
        self.min_evals = min_evals
        self.key = key
        self.best = -math.inf
        self.no_improvement_evals = 0
        self.num_evals = 0

    def on_epoch_end(self, ended: EndedEpoch) -> bool:
        """Go on while numbers become better every now and then."""
        number = ended.number(self.key)
        if math.isnan(number):
            return True
        self.num_evals += 1
        if number > self.best:
            self.best, self.no_improvement_evals = number, 0
        elif self.num_evals > self.min_evals:
            self.no_improvement_evals += 1
        if self.no_improvement_evals <= self.max_no_improvement_evals:
            return True
        logger.log(f"{self.key} has not been better than {self.best:.6g} for long")
        return False
