"""Which of many runs, in which order, what of each; and runs that differ in their seed alone."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from garage_like.runs.overview import Overview

SEED = "seed"

COLUMNS: dict[str, Callable[[Overview], Any]] = {
    "run": lambda run: os.path.basename(run.run) or run.run,
    "algo": lambda run: run.algorithm,
    "env": lambda run: run.environment,
    "epochs": lambda run: None if run.last_epoch is None else run.last_epoch + 1,
    "steps": lambda run: run.total_env_steps,
    "return": lambda run: run.last_return,
    "size": lambda run: run.bytes,
    "age": lambda run: time.time() - run.updated,
    "exact": lambda run: run.exact,
    "tag": lambda run: ",".join(run.tags) or None,
    "note": lambda run: run.note or None,
}
"""What every run has; a parameter or a metric may be named beside these."""

_CONDITION = re.compile(r"(.+?)(<=|>=|!=|=|<|>|~)(.*)", re.DOTALL)
_TRUTHS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def value_of(run: Overview, name: str) -> Any:
    """Return what a run has under a name: a column, a parameter, or a metric; else None."""
    if name in COLUMNS:
        return COLUMNS[name](run)
    return run.parameters.get(name, run.metrics.get(name))


def check_names(names: Iterable[str], runs: Sequence[Overview]) -> None:
    """Raise ValueError for a name that no run knows, with the nearest that one does."""
    known = dict.fromkeys(COLUMNS)
    for run in runs:
        known.update(dict.fromkeys([*run.parameters, *run.metrics]))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"no run has a column, parameter or metric {name!r}; {hint}")


@dataclass(frozen=True)
class Condition:
    """Hold for some runs: `lr>=1e-3`, `env=CartPole-v1`, `run~ppo`.

    Attributes:
        name: of a column, parameter or metric.
        sign: `=`, `!=`, `<`, `<=`, `>`, `>=`, or `~` for a part of the text.
        wanted: what it is compared with.
    """

    name: str
    sign: str
    wanted: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition; ValueError if it is none."""
        found = _CONDITION.fullmatch(text)
        if found is None or not found[1].strip():
            raise ValueError(f"{text!r}: expected NAME=VALUE, with one of = != < <= > >= ~")
        name, sign, wanted = found[1].strip(), found[2], found[3].strip()
        if sign in _ORDERS and number_of(wanted) is None:
            raise ValueError(f"{text!r}: expected a number after {sign}, got {wanted!r}")
        return cls(name, sign, wanted)

    def holds(self, run: Overview) -> bool:
        """Tell whether it holds for a run; for one that has no such value only `!=` does."""
        if self.name == "tag" and len(run.tags) > 1:  # of several, one will do; and none must
            each = [self.holds(replace(run, tags=[tag])) for tag in run.tags]
            return all(each) if self.sign == "!=" else any(each)
        value = value_of(run, self.name)
        if value is None:
            return self.sign == "!="
        if self.sign == "~":
            return self.wanted in _text(value)
        ours, wanted = number_of(value), number_of(self.wanted)
        if isinstance(value, bool):
            is_wanted = _TRUTHS.get(self.wanted.lower())
            return (is_wanted is value) is (self.sign == "=") if self.sign in ("=", "!=") else False
        if ours is None or wanted is None:
            same = _text(value) == self.wanted
            return same if self.sign == "=" else not same if self.sign == "!=" else False
        if self.sign in _ORDERS:
            return _ORDERS[self.sign](ours, wanted)
        same = ours == wanted or (math.isnan(ours) and math.isnan(wanted))
        return same is (self.sign == "=")


def in_order(runs: Iterable[Overview], by: str) -> list[Overview]:
    """Sort runs by a name, rising, or falling after a `-`; those that lack it come first."""
    name = by.removeprefix("-")
    sign = -1.0 if by.startswith("-") else 1.0

    def key(run: Overview) -> tuple[int, float, str]:
        value = value_of(run, name)
        number = number_of(value)
        if value is None or (number is not None and math.isnan(number)):
            return 0, 0.0, ""
        return (1, 0.0, _text(value)) if number is None else (2, sign * number, "")

    placed = sorted(runs, key=key)
    words = [run for run in placed if key(run)[0] == 1]
    if sign < 0.0 and words:
        return (
            [r for r in placed if key(r)[0] == 0]
            + words[::-1]
            + [r for r in placed if key(r)[0] == 2]
        )
    return placed


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone.

    Attributes:
        runs: in the order in which they were given.
    """

    runs: list[Overview]

    def spread(self, name: str) -> tuple[float, float] | None:
        """Return mean and standard deviation (of a sample) of a number; None if no run has it."""
        found = (number_of(value_of(run, name)) for run in self.runs)
        numbers = [number for number in found if number is not None]
        if not numbers:
            return None
        return statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else 0.0

    def value(self, name: str) -> Any:
        """Return what all runs have under a name; None if they differ."""
        values = [value_of(run, name) for run in self.runs]
        return values[0] if all(value == values[0] for value in values) else None


def grouped(runs: Iterable[Overview]) -> list[Group]:
    """Put runs of one algorithm, environment and parameters together, whatever their seed."""
    groups: dict[str, list[Overview]] = {}
    for run in runs:
        others = {key: value for key, value in run.parameters.items() if key != SEED}
        what = [run.algorithm, run.environment, others or run.run]
        groups.setdefault(json.dumps(what, sort_keys=True, default=str), []).append(run)
    return [Group(members) for members in groups.values()]


def _text(value: Any) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def number_of(value: Any) -> float | None:
    """Return a value as a number, which a text may spell; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
