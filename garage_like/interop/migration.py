"""Migrate: weights that another program trained go into a policy, Q-function or algorithm of ours.

    report = migrate(policy, "ppo_pendulum.zip")

Everything is read as data and checked first; then all weights are replaced in one go, or none.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from garage_like.envs.normalized_env import NormalizedEnv
from garage_like.envs.wrapper import Wrapper
from garage_like.errors import MigrationError
from garage_like.interop.checkpoint import Checkpoint, as_array, read_checkpoint
from garage_like.interop.foreign_names import is_deviation, temperature_kind
from garage_like.interop.matching import Match, Matcher, Matching, array_for
from garage_like.interop.migration_report import (
    MigrationReport,
    report_of,
    statistics_of_observations,
)
from garage_like.interop.statistics import ObservationStatistics, normalising_wrappers
from garage_like.interop.weights import Component, Weight, assign, components_of

NameMap = Mapping[str, str | Sequence[str]]


def migrate(
    target: Any,
    source: str | os.PathLike[str] | Mapping[str, Any],
    name_map: NameMap | None = None,
    allow_partial: bool = False,
) -> MigrationReport:
    """Replace the weights of a target by those that another program trained.

    Nonlinearities are not in a checkpoint: give the target those that the other program used.

    Args:
        target: a policy, Q-function or value function of torch or TensorFlow, any other module of
            torch, or an algorithm.
        source: a file or directory of Stable-Baselines3, skrl, rl_games, CleanRL, Velora, CO-GYM or
            garage_like; `.pt`, `.pth`, `.safetensors` or `.npz`; or arrays or tensors by name.
        name_map: `{own: theirs}` where names do not tell. Both may be names of arrays, or what the
            names of several begin with: `{"mlp": "critic.qf0"}`. Two of theirs are joined by their
            outputs: `{"mlp.output.weight": ("mu.weight", "log_std.weight")}`.
        allow_partial: keep what there is nothing for, and do not mind what has no place.

    Returns:
        What went where, and the statistics that observations must be normalised by.

    Raises:
        MigrationError: if something does not fit, is missing, or could be several things. The
            target is as it was.
        FileNotFoundError: if there is no such file.
        ValueError: if it is no checkpoint, or only code that it brings along could read it.
        TypeError: if target or source is of no kind that is known.
    """
    components = components_of(target)
    checkpoint = read_checkpoint(source)
    matcher = Matcher(checkpoint, components)
    _take_mapped(matcher, checkpoint, components, name_map or {})
    targets = [component for component in components if component.is_target]
    for component in components:
        if not component.is_target:
            matcher.match(component)
    has_targets = any("target" in name for name in checkpoint.arrays)
    for component in targets if has_targets else ():
        matcher.match(component)
    found = matcher.found
    statistics = statistics_of_observations(checkpoint)
    wrappers = _normalising_wrappers_of(target)
    _check(target, checkpoint, components, found, allow_partial)
    if statistics is not None:
        _check_statistics(wrappers, statistics)
    values = [(m.weight, _value(m, checkpoint, components)) for m in found.matches]
    how = {m.weight.name: (m.sources, m.how) for m in found.matches}
    for own, original in _copies(components, found):
        value = next(value for weight, value in values if weight is original)
        values.append((own, value))
        how[own.name] = ((), f"copy of {original.name}")
    assign([(weight, value.T if weight.is_turned else value) for weight, value in values])
    notes = list(checkpoint.notes)
    if statistics is not None:
        notes.append(_place(wrappers, statistics))
    return report_of(checkpoint, components, how, notes)


def _take_mapped(
    matcher: Matcher, checkpoint: Checkpoint, components: list[Component], name_map: NameMap
) -> None:
    """Match what the caller's map names.

    Raises:
        MigrationError: if there is no such name.
    """
    weights = {w.name: (w, component) for component in components for w in component.weights}
    for own, theirs in name_map.items():
        names = (theirs,) if isinstance(theirs, str) else tuple(theirs)
        inside = [pair for name, pair in weights.items() if _is_within(name, own)]
        if not inside:
            raise MigrationError(_unknown("target", own, list(weights)))
        if own in weights and all(name in checkpoint.arrays for name in names):
            matcher.take(weights[own][0], names)
            continue
        under = [n for n in checkpoint.arrays if any(_is_within(n, name) for name in names)]
        if not under or own in weights:
            raise MigrationError(
                _unknown(checkpoint.origin, ", ".join(names), list(checkpoint.arrays))
            )
        for component in components:
            mine = [weight for weight, one in inside if one is component]
            matcher.match_among(mine, component, under)


def _is_within(name: str, prefix: str) -> bool:
    return name == prefix or not prefix or name.startswith(f"{prefix}.")


def _unknown(where: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 3) or known[:8]
    return f"name_map: nothing in {where} is called {name!r}; there are, say, {', '.join(close)}"


def _copies(components: list[Component], found: Matching) -> Iterator[tuple[Weight, Weight]]:
    """Yield the weights of target networks that got nothing, with those that they are copies of."""
    by_name = {component.name: component for component in components}
    for component in components:
        original = by_name.get(component.name.replace("target_", "", 1))
        if not component.is_target or original is None or original is component:
            continue
        for weight, other in zip(component.weights, original.weights, strict=True):
            if weight.name not in found.matched and other.name in found.matched:
                yield weight, other


def _is_optional(component: Component, weight: Weight) -> bool:
    """Whether no library has this: the deviation of a value function, or a target network's."""
    return component.is_target or (component.role == "value" and is_deviation(weight.name))


def _check(
    target: Any,
    checkpoint: Checkpoint,
    components: list[Component],
    found: Matching,
    allow_partial: bool,
) -> None:
    """Raise MigrationError unless everything has its place."""
    missing = {
        weight.name: weight.shape
        for component in components
        for weight in component.weights
        if weight.name not in found.matched | found.ambiguous.keys()
        and not _is_optional(component, weight)
    }
    leftover = list(dict.fromkeys(name for name in found.leftover if name not in found.used))
    lines = [
        f"{name} could be any of {', '.join(theirs)}" for name, theirs in found.ambiguous.items()
    ]
    if not allow_partial or not found.matches:
        for name, shape in missing.items():
            same = [n for n, a in checkpoint.arrays.items() if shape in (a.shape, a.shape[::-1])]
            hint = (
                f"of this shape there are {', '.join(same)}" if same else "nothing has this shape"
            )
            lines.append(f"{name}, shape {shape}: nothing fits; {hint}")
    if not allow_partial:
        lines += [
            f"{name}, shape {checkpoint.arrays[name].shape}, of theirs has no place"
            for name in leftover
        ]
    for match in found.matches:
        try:
            array = array_for(match, checkpoint.arrays)
        except ValueError as error:
            lines.append(f"{match.weight.name} from {' + '.join(match.sources)}: {error}")
            continue
        if not np.isfinite(array).all():
            lines.append(f"{match.weight.name} from {' + '.join(match.sources)}: not all finite")
    if lines:
        hint = (
            _example(found.ambiguous, checkpoint.arrays)
            if found.ambiguous
            else (
                "Make the target's layers those of the checkpoint, name what belongs together with"
                " name_map={own: theirs}, or pass allow_partial=True to take what fits"
            )
        )
        raise MigrationError(
            f"migrate: {checkpoint.origin} ({checkpoint.library}) does not go into"
            f" {type(target).__name__}, which is as it was:\n  "
            + "\n  ".join(lines)
            + f"\n{hint}.",
            found.ambiguous,
            list(missing),
        )


def _example(ambiguous: Mapping[str, Sequence[str]], arrays: Mapping[str, np.ndarray]) -> str:
    """Show how to say which; several critics are told apart by what their names begin with."""
    own, theirs = next(iter(ambiguous.items()))
    if theirs[0] not in arrays:
        own = own.partition(".")[0]
    return f"Say which, for example name_map={{{own!r}: {theirs[0]!r}}}"


def _value(match: Match, checkpoint: Checkpoint, components: list[Component]) -> np.ndarray:
    """Return what a weight gets, turned into what the target's parameter means."""
    array = array_for(match, checkpoint.arrays).astype(match.weight.read().dtype)
    component = next(one for one in components if match.weight in one.weights)
    if component.role == "temperature" and temperature_kind(match.sources[0]) == "plain":
        match.how += ", its logarithm"
        return np.log(array)
    # Under our own name it is the parameter already; other libraries have its logarithm.
    is_ours = match.sources[0].rpartition(".")[2] == "std_parameter"
    is_deviation_of_ours = match.weight.name.endswith("std_parameter")
    if is_deviation_of_ours and not is_ours and _has_softplus(component.module):
        match.how += ", for softplus"
        return np.log(np.expm1(np.exp(array)))
    return array


def _has_softplus(module: Any) -> bool:
    """Whether the deviation of a policy is softplus of its parameter, and not exp."""
    parameter, log_std = as_array(module.std_parameter), as_array(module.log_std)
    assert parameter is not None
    assert log_std is not None
    return bool(np.allclose(log_std, np.log(np.log1p(np.exp(parameter))), atol=1e-5))


def _normalising_wrappers_of(target: Any) -> list[NormalizedEnv]:
    """List the wrappers of the environments that an algorithm collects from."""
    sampler = getattr(target, "sampler", None)
    return [one for env in _environments(sampler) for one in normalising_wrappers(env)]


def _check_statistics(wrappers: list[NormalizedEnv], statistics: ObservationStatistics) -> None:
    for wrapper in wrappers:
        size = math.prod(wrapper.observation_space.shape or ())
        if statistics.mean.size != size:
            raise MigrationError(
                f"migrate: statistics of {statistics.mean.size} numbers do not go into a"
                f" NormalizedEnv with observations of {size}; nothing was changed"
            )


def _place(wrappers: list[NormalizedEnv], statistics: ObservationStatistics) -> str:
    """Put statistics where there is a place for them, and say where."""
    for wrapper in wrappers:
        wrapper.set_observation_statistics(statistics.mean, statistics.variance)
    if wrappers:
        return "statistics of observations went into the NormalizedEnv of the sampler"
    return (
        "the policy expects normalised observations: report.observation_statistics.normalize(...),"
        " or .put_into(NormalizedEnv(env, normalize_obs=True))"
    )


def _environments(part: Any, depth: int = 4) -> Iterator[Wrapper]:
    if isinstance(part, Wrapper):
        yield part
    elif depth and isinstance(part, list | tuple):
        for one in part:
            yield from _environments(one, depth - 1)
    elif depth and type(part).__module__.startswith("garage_like.sampler"):
        for one in vars(part).values():
            yield from _environments(one, depth - 1)
