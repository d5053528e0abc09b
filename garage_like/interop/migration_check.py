"""Whether everything has its place, before the first weight is replaced."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from garage_like.envs.normalized_env import NormalizedEnv
from garage_like.errors import MigrationError
from garage_like.interop.checkpoint import Checkpoint
from garage_like.interop.foreign_names import is_deviation
from garage_like.interop.match import Match, Matching, array_for, is_logarithm_of
from garage_like.interop.statistics import ObservationStatistics
from garage_like.interop.weights import Component, Weight


def check_matching(
    target: Any,
    checkpoint: Checkpoint,
    components: list[Component],
    found: Matching,
    allow_partial: bool,
) -> None:
    """Check that everything has its place.

    Raises:
        MigrationError: if not; says all that is wrong, and what to do.
    """
    arrays = checkpoint.arrays
    lines = [
        f"{name} could be any of {', '.join(theirs)}" for name, theirs in found.ambiguous.items()
    ]
    missing = _missing(components, found)
    if not allow_partial or not found.matches:
        lines += [_nothing_fits(weight, arrays) for weight in missing]
    if not allow_partial:
        leftover = dict.fromkeys(name for name in found.leftover if name not in found.used)
        lines += [f"{n}, shape {arrays[n].shape}, of theirs has no place" for n in leftover]
    lines += [line for match in found.matches for line in _faults(match, arrays)]
    if not lines:
        return
    hint = (
        "Make the target's layers those of the checkpoint, name what belongs together with"
        " name_map={own: theirs}, or pass allow_partial=True to take what fits"
    )
    if found.ambiguous:
        hint = _example(found.ambiguous, arrays)
    listed = "\n  ".join(lines)
    raise MigrationError(
        f"migrate: {checkpoint.origin} ({checkpoint.format}) does not go into"
        f" {type(target).__name__}, which is as it was:\n  {listed}\n{hint}.",
        found.ambiguous,
        [weight.name for weight in missing],
    )


def _missing(components: list[Component], found: Matching) -> list[Weight]:
    known = found.matched | found.ambiguous.keys()
    return [
        weight
        for component in components
        for weight in component.weights
        if weight.name not in known and not _is_optional(component, weight)
    ]


def _nothing_fits(weight: Weight, arrays: Mapping[str, np.ndarray]) -> str:
    shapes = (weight.shape, weight.shape[::-1])
    same = [name for name, array in arrays.items() if array.shape in shapes]
    hint = f"of this shape there are {', '.join(same)}" if same else "nothing has this shape"
    return f"{weight.name}, shape {weight.shape}: nothing fits; {hint}"


def _faults(match: Match, arrays: Mapping[str, np.ndarray]) -> Iterator[str]:
    names = f"{match.weight.name} from {' + '.join(match.sources)}"
    try:
        array = array_for(match, arrays)
    except ValueError as error:
        yield f"{names}: {error}"
        return
    if not np.isfinite(array).all() or (is_logarithm_of(match) and not (array > 0).all()):
        yield f"{names}: not all finite, or not positive"


def _example(ambiguous: Mapping[str, Sequence[str]], arrays: Mapping[str, np.ndarray]) -> str:
    """Show how to say which; several critics are told apart by what their names begin with."""
    own, theirs = next(iter(ambiguous.items()))
    if theirs[0] not in arrays:
        own = own.partition(".")[0]
    return f"Say which, for example name_map={{{own!r}: {theirs[0]!r}}}"


def _is_optional(component: Component, weight: Weight) -> bool:
    """Whether no library has this: the deviation of a value function, or a target network's."""
    return component.is_target or (component.role == "value" and is_deviation(weight.name))


def check_statistics(wrappers: list[NormalizedEnv], statistics: ObservationStatistics) -> None:
    """Check that statistics fit the observations of all environments that they are to go into.

    Raises:
        MigrationError: if not.
    """
    for wrapper in wrappers:
        size = math.prod(wrapper.observation_space.shape or ())
        if statistics.mean.size != size:
            raise MigrationError(
                f"migrate: statistics of {statistics.mean.size} numbers do not go into a"
                f" NormalizedEnv with observations of {size}; nothing was changed"
            )
