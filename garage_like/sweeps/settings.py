"""What a sweep varies: lists of values, and ranges that numbers are drawn from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.configuration.plain_values import from_text

_FORM = "expected NAME=VALUE,VALUE,… or NAME=LOW..HIGH"

_ANEW = 0.25
"""Probability that a value is drawn again where those near are looked at."""


@dataclass(frozen=True)
class Setting:
    """Values of one parameter of an experiment.

    Attributes:
        name: of the parameter.
        values: to try; empty for a range.
        low: end of a range that numbers are drawn from; None for a list of values.
        high: its other end. Where it is ten times `low` or more, logarithms are spread evenly.
        whole: whether the numbers are whole, as both ends are.
    """

    name: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> Any:
        """Draw a value: one of the list, or a number of the range."""
        if self.low is None or self.high is None:
            return self.values[int(rng.integers(len(self.values)))]
        if self.whole:
            return int(rng.integers(int(self.low), int(self.high) + 1))
        if self.is_logarithmic:
            return float(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        return float(rng.uniform(self.low, self.high))

    @property
    def is_logarithmic(self) -> bool:
        """Whether logarithms are spread evenly."""
        low, high = self.low, self.high
        return low is not None and high is not None and low > 0.0 and high / low >= 10.0

    def ends(self) -> list[Any]:
        """Return what tells it from another of its name."""
        return [list(self.values), self.low, self.high, self.whole]

    def explore(self, value: Any, rng: np.random.Generator) -> Any:
        """Return a value near another, or sometimes any."""
        if rng.random() < _ANEW:
            return self.draw(rng)
        step = int(rng.integers(2))
        if self.low is None or self.high is None:
            number = self.values.index(value) + (-1, 1)[step]
            return self.values[min(max(number, 0), len(self.values) - 1)]
        # A fifth more or less; small whole numbers, and zero, are to move as well.
        far = abs(value) * 0.2 or (self.high - self.low) * 0.1
        far = max(round(far), 1) if self.whole else far
        near = min(max(value + (-far, far)[step], self.low), self.high)
        return int(near) if self.whole else float(near)


def parse_setting(text: str) -> Setting:
    """Read `lr=1e-3,3e-4` (a list) or `lr=1e-4..1e-2` (a range).

    A value is JSON where it is that (numbers, true, null, quoted strings) or Python, else a string.

    Raises:
        ValueError: if it is neither.
    """
    name, separator, rest = text.partition("=")
    name = name.strip()
    if not separator or not name.isidentifier() or not rest.strip():
        raise ValueError(f"{text!r}: {_FORM}")
    low, is_range, high = rest.partition("..")
    if is_range:
        ends = [from_text(low), from_text(high)]
        if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            raise ValueError(f"{text!r}: {_FORM}, and both ends of a range are numbers")
        if not ends[0] < ends[1] < math.inf:
            raise ValueError(f"{text!r}: the low end of a range comes first")
        return Setting(name, low=ends[0], high=ends[1], whole=all(type(e) is int for e in ends))
    return Setting(name, tuple(from_text(part.strip()) for part in rest.split(",")))


def grid(settings: Sequence[Setting]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of lists.

    Raises:
        ValueError: if there is a range, of which there is no last value.
    """
    for setting in settings:
        if setting.low is not None:
            raise ValueError(
                f"{setting.name} is a range, which has no end; draw from it with --search random"
                " --trials N, or list its values"
            )
    for values in itertools.product(*(setting.values for setting in settings)):
        yield dict(zip((setting.name for setting in settings), values, strict=True))


def drawn(settings: Sequence[Setting], seed: int, number: int) -> dict[str, Any]:
    """Draw the values of trial `number`: they follow from the seed and the number alone."""
    rng = seeding.stream("sweep", number, entropy=seed)
    return {setting.name: setting.draw(rng) for setting in settings}
