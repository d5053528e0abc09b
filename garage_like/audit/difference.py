"""Where two states of a run differ first, and what that says about the cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_PATHS = 20
_Pair = tuple[str | None, str | None]
_OF_A_PROCESS = re.compile(r"^rng\.|\.workers_at_home\[\d+\]\.rng\.")
"""Generators of the process that trains, and of those that have environments for it."""
_GENERATOR = re.compile(r"\brng\b|seed|\.bit_generator|\.state\.")


@dataclass(frozen=True)
class State:
    """A run at a safe point.

    Attributes:
        epoch: the last that was finished; -1 before the first.
        begins: whether training begins here: from nothing, or as restored.
        digests: of all that a snapshot saves, by path.
        left_out: of what objects of the script leave out when they are pickled, by path.
    """

    epoch: int
    begins: bool
    digests: Mapping[str, str]
    left_out: Mapping[str, str]

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> State:
        """Take up what a leg wrote down."""
        return cls(line["epoch"], line["begins"], line["state"], line["left_out"])


_OF_A_SCRIPT = "garage_like.trainer.namespace.Objects"
_OF_A_SPACE = re.compile(r"_space\b.*\._np_random\b")


@dataclass(frozen=True)
class Difference:
    """The first safe point at which two runs differ, and in what.

    Attributes:
        epoch: the last that was finished at that point; -1 before the first.
        moment: `set up`, `epoch` (at its end), or `restore` (of that epoch's snapshot).
        component: path of the first part that differs.
        straight: its digest or value in the run that was never killed; None if it is not there.
        killed: the same in the run that was killed.
        paths: the parts that differ, the first of them.
        num_paths: how many there are.
        lost: parts that objects leave out of their pickled state, and that a restore did not bring
            back as they were.
        reason: what this kind of difference means, in a sentence.
    """

    epoch: int
    moment: str
    component: str
    straight: str | None
    killed: str | None
    paths: list[str]
    num_paths: int
    lost: list[str]
    reason: str


def first_difference(
    expected: Mapping[int, State],
    states: Iterable[State],
    ignore: Iterable[str] = (),
    unseeded: set[str] | None = None,
) -> Difference | None:
    """Compare states in their order in time with those of the run that was never killed.

    Args:
        expected: states by epoch.
        states: of one process of the run that is killed, in order.
        ignore: regular expressions of paths that are not compared.
        unseeded: paths of generators that nobody seeds, as far as they are known; gets more. They
            are gymnasium's, one in each space, and those of processes where a script did not
            call our `set_seed`: if one is drawn from, what is drawn differs.
    """
    passed_over = [re.compile(pattern) for pattern in ignore]
    unseeded = set() if unseeded is None else unseeded
    lost: dict[str, _Pair] = {}
    for state in states:
        wanted = expected[state.epoch]
        if state.begins and state.epoch >= 0:
            lost = {
                path: (wanted.left_out.get(path), state.left_out.get(path))
                for path in _differing(wanted.left_out, state.left_out, passed_over)
            }
        ours = without_log(wanted.digests) if state.begins else wanted.digests
        paths = _differing(ours, state.digests, passed_over)
        if state.epoch < (0 if state.begins else 1):  # nothing was restored
            unseeded.update(path for path in paths if _OF_A_SPACE.search(path))
        if state.begins and state.epoch < 0 and ours.get("algo") == _OF_A_SCRIPT:
            unseeded.update(path for path in paths if _OF_A_PROCESS.search(path))
        paths = [path for path in paths if path not in unseeded]
        if paths:
            return _difference(state, ours, paths, lost)
    return None


def without_log(digests: Mapping[str, str]) -> dict[str, str]:
    """Leave the row of the log out: a run that begins has none."""
    return {path: digest for path, digest in digests.items() if not path.startswith("log[")}


def _differing(
    ours: Mapping[str, str], theirs: Mapping[str, str], ignore: list[re.Pattern[str]]
) -> list[str]:
    """Return the paths that differ, in the order of the graph, what only one has last."""
    return [
        path
        for path in dict.fromkeys([*ours, *theirs])
        if ours.get(path) != theirs.get(path) and not any(p.search(path) for p in ignore)
    ]


def _difference(
    state: State, ours: Mapping[str, str], paths: list[str], lost: Mapping[str, _Pair]
) -> Difference:
    in_order = sorted(paths, key=lambda path: _GENERATOR.search(path) is None)
    component = next(iter(lost), in_order[0])
    straight, killed = lost.get(component, (ours.get(component), state.digests.get(component)))
    moment, reason = _judge(state, bool(lost))
    return Difference(
        epoch=state.epoch,
        moment=moment,
        component=component,
        straight=straight,
        killed=killed,
        paths=in_order[:_MAX_PATHS],
        num_paths=len(in_order),
        lost=list(lost)[:_MAX_PATHS],
        reason=reason,
    )


def _judge(state: State, is_lost: bool) -> tuple[str, str]:
    """Say at which kind of moment two runs parted, and what that means."""
    if state.begins and state.epoch < 0:
        return "set up", (
            "the script makes this again each time: it draws from a generator that is not seeded;"
            " call set_seed(seed) first, and draw from garage_like.seeding.stream"
        )
    if state.begins:
        return "restore", "a restore does not bring this back as it was saved"
    if is_lost:
        return "epoch", (
            "its class leaves this out when it is pickled (__getstate__ or __reduce__), and"
            " training depends on it"
        )
    if state.epoch == 0:
        return "epoch", (
            "no kill is needed to see this: two starts differ; a generator is not seeded, or the"
            " result depends on time, threads or the order of a set"
        )
    return "epoch", (
        "what was restored is as it was saved, so the epoch depended on something that is no part"
        " of the run's objects: a generator or a variable of a module, a file, or a random op of"
        " TensorFlow that keeps its state to itself"
    )
