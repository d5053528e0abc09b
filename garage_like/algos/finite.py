"""Learning that has gone to NaN ends before it is saved: one rule for all families."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LOSSES = ("policy/Loss", "Loss/")
"""How the names of numbers begin that say what is learned from."""


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
