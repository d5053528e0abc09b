"""Migrate: weights that another program trained go into a policy, Q-function or algorithm of ours.

    report = migrate(policy, "ppo_pendulum.zip")

Everything is read as data and checked first; then all weights are replaced in one go, or none.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from garage_like.envs.normalized_env import NormalizedEnv
from garage_like.envs.wrapper import Wrapper
from garage_like.errors import MigrationError
from garage_like.interop.checkpoint import Checkpoint, read_checkpoint
from garage_like.interop.match import Matching, value_for
from garage_like.interop.matching import Matcher
from garage_like.interop.migration_check import check_matching, check_statistics
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
            garage_like; `.pt`, `.pth`, `.safetensors` or `.npz`; ORG/NAME, if it is in the Hugging
            Face Hub's cache; or arrays or tensors by name.
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
    check_matching(target, checkpoint, components, found, allow_partial)
    if statistics is not None:
        check_statistics(wrappers, statistics)
    values = [(m.weight, value_for(m, checkpoint.arrays, components)) for m in found.matches]
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
    for component in components:
        original = _original_of(component, components) if component.is_target else None
        if original is None:
            continue
        for weight, other in zip(component.weights, original.weights, strict=True):
            if weight.name not in found.matched and other.name in found.matched:
                yield weight, other


def _original_of(target: Component, components: list[Component]) -> Component | None:
    """Return what a target network follows: the namesake, or the only one that is like it."""
    shapes = [weight.shape for weight in target.weights]
    alike = [
        one
        for one in components
        if not one.is_target
        and one.role == target.role
        and [weight.shape for weight in one.weights] == shapes
    ]
    named = [one for one in alike if one.name == target.name.replace("target_", "", 1)]
    return named[0] if named else alike[0] if len(alike) == 1 else None


def _normalising_wrappers_of(target: Any) -> list[NormalizedEnv]:
    """List the wrappers of the environments that an algorithm collects from."""
    sampler = getattr(target, "sampler", None)
    return [one for env in _environments(sampler) for one in normalising_wrappers(env)]


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
