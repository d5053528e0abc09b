"""Learning that has gone to NaN ends before it is saved: one rule for all families."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

LOSSES = ("policy/Loss", "Loss/")
"""How the names of numbers begin that say what is learned from."""


def check_rewards(owner: str, rewards: Any) -> None:
    """Raise if a reward is not finite, before it is learned from or stored to be.

    One in replay memory would be in each snapshot, and end every resume once it is drawn.

    Args:
        owner: name of the algorithm.
        rewards: of what was just played, or sums of them; an array.
    """
    are_finite = np.isfinite(rewards)
    if np.count_nonzero(are_finite) < are_finite.size:  # in a fifth of the time of `all`
        found = rewards[~np.isfinite(rewards)][0]
        raise ValueError(
            f"{owner}: a reward is {found}; expected a finite number from the environment. Nothing"
            " was learned from it; the last snapshot is of before"
        )


def check_losses(owner: str, metrics: Mapping[str, Any], when: str = "") -> None:
    """Raise if a loss is not finite, so that the last snapshot is one of weights that are.

    Args:
        owner: name of the algorithm.
        metrics: of an update; those that are no losses do not count.
        when: when it was, to follow the number.
    """
    check_finite(owner, {k: v for k, v in metrics.items() if k.startswith(LOSSES)}, when)


def check_finite(owner: str, metrics: Mapping[str, Any], when: str = "") -> None:
    """Raise if any of these numbers is not finite; arguments are those of `check_losses`."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise ValueError(
                f"{owner}: {name} is {value}{when}; expected a finite number. Is a reward or"
                " observation not finite? Else lower the learning rate; the last snapshot is of"
                " before"
            )
