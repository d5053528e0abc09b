"""Settings: what a restored run is made of, changed before it goes on; weights and counters stay.

A change is told in the log, and kept in each manifest from there on: `changes`, with the epoch that
was the first under it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garage_like.configuration.comparison import PARAMETERS, Difference
from garage_like.configuration.configured import (
    CLASS,
    configuration_of,
    kept_argument,
    note_arguments,
)
from garage_like.errors import SnapshotMismatchError
from garage_like.logging.notices import warn
from garage_like.snapshot.kinds.environments import EnvStates
from garage_like.trainer.configuration import parts_of
from garage_like.trainer.trying_settings import try_settings


@dataclass(frozen=True)
class Changed:
    """A setting that a run goes on with otherwise than before."""

    name: str
    was: Any
    now: Any

    def __str__(self) -> str:
        """Name it, with both values."""
        return f"{self.name} was {self.was!r} and is now {self.now!r}"


class Settings:
    """Change arguments that the parts of a run were constructed with.

    Args:
        algo: its attributes are parts, too.
        env: the environment, or None.
        callbacks: whose attributes are parts, too, or None.
    """

    def __init__(self, algo: Any, env: Any, callbacks: Any = None) -> None:
        found = parts_of(algo, env, callbacks)
        self._parts = {name: part for name, part in found.items() if configuration_of(part)}
        self._noted = self._kept()

    def change(self, values: Mapping[str, Any], known: EnvStates | None = None) -> list[Changed]:
        """Change settings by name: `{"algo.discount": 0.98, "sampler.n_envs": 8}`.

        Args:
            values: by name.
            known: what is known of environments; given, all is tried on copies before.

        Raises:
            SnapshotMismatchError: if one cannot be changed in mid-run, or is out of range.
            ValueError: if there is no such setting; says which there are.
        """
        wanted: dict[int, tuple[str, Any, dict[str, Any]]] = {}
        changed = []
        for name, value in values.items():
            owner, part, argument, inner = self._find(name)
            arguments = wanted.setdefault(id(part), (owner, part, {}))[2]
            was = (configuration_of(part) or {})[argument]
            arguments[argument] = _with(arguments.get(argument, was), inner, value)
            full = ".".join([owner, argument, *inner])
            changed.append(Changed(full, _at(was, inner), value))
        self._apply(wanted.values(), known)
        return [one for one in changed if one.was != one.now]

    def update(
        self, differences: Sequence[Difference], known: EnvStates | None = None
    ) -> tuple[list[Changed], list[Difference]]:
        """Change what a snapshot was made with otherwise than what is set up now.

        Args:
            differences: between the two.
            known: what is known of environments; given, each is tried on a copy before, and what
                cannot be changed stays as it is.

        Returns:
            What was changed, and what was not.

        Raises:
            SnapshotMismatchError: if something cannot be changed, and nothing is known.
        """
        ours = [d for d in differences if d.path[0] != PARAMETERS and not self._is_made(d)]
        left: list[Difference] = []
        for some in [ours] if known is None else [[difference] for difference in ours]:
            try:
                self._update(some, known)
            except SnapshotMismatchError:
                if known is None:
                    raise
                left += some
        return [Changed(".".join(d.path), d.was, d.now) for d in differences if d not in left], left

    def _update(self, differences: Sequence[Difference], known: EnvStates | None) -> None:
        for difference in differences:
            if difference.path[-1] == CLASS:
                raise SnapshotMismatchError(f"{_CANNOT}: {difference}")
        try:
            self.change({".".join(d.path): d.now for d in differences}, known)
        except SnapshotMismatchError:
            raise
        except ValueError as error:
            raise SnapshotMismatchError(f"{_CANNOT}: {error}") from error

    def changed_by_hand(self) -> list[Changed]:
        """Return which arguments the parts keep otherwise than when this was made; note them."""
        found = []
        for (name, argument), now in self._kept().items():
            was = self._noted.get((name, argument), now)
            if was != now:
                note_arguments(self._parts[name], {argument: now})
                found.append(Changed(f"{name}.{argument}", was, now))
        self._noted = self._kept()
        return found

    @staticmethod
    def _is_made(difference: Difference) -> bool:
        """Tell whether it is only that a part is given now that the algorithm made before."""
        of_sampler = difference.path[:2] in (("sampler", "agents"), ("sampler", "envs"))
        return of_sampler or (
            difference.path[0] == "algo" and difference.now == difference.path[-1]
        )

    def _kept(self) -> dict[tuple[str, str], Any]:
        return {
            (name, argument): now
            for name, part in self._parts.items()
            for argument in configuration_of(part) or ()
            for key, now in [kept_argument(part, argument)]
            if key is not None
        }

    def _find(self, name: str) -> tuple[str, Any, str, list[str]]:
        """Return the part's name, the part, its argument, and the keys inside of its value."""
        owner, *keys = name.split(".")
        part = self._parts.get(owner)
        if part is None:
            raise ValueError(f"no part is called {owner!r}; there are {', '.join(self._parts)}")
        while len(keys) > 1:
            child = vars(part).get(keys[0], vars(part).get(f"_{keys[0]}"))
            if not configuration_of(child):
                break
            owner, part, keys = f"{owner}.{keys[0]}", child, keys[1:]
        arguments = {k: v for k, v in (configuration_of(part) or {}).items() if k != CLASS}
        if keys and keys[0] in arguments:
            return owner, part, keys[0], keys[1:]
        inside = [(k, path) for k, v in arguments.items() for path in _paths(v, keys)]
        if len(inside) == 1:
            return owner, part, inside[0][0], inside[0][1]
        raise ValueError(
            f"{owner} has no setting {'.'.join(keys)!r}; it has {', '.join(arguments)}"
        )

    def _apply(
        self, wanted: Collection[tuple[str, Any, dict[str, Any]]], known: EnvStates | None
    ) -> None:
        for owner, part, arguments in wanted if known is not None else ():
            with _naming(owner, arguments):
                try_settings(part, arguments, known or {})
        for owner, part, arguments in wanted:
            with _naming(owner, arguments):
                part.change_arguments(arguments)
            note_arguments(part, arguments)
        self._noted = self._kept()


_CANNOT = "a restored run cannot go on with other settings"


def warn_of_settings(
    snapshot: Path, changed: Sequence[Changed], left: Sequence[Difference], stacklevel: int
) -> None:
    """Warn that a run goes on otherwise than a snapshot was made, or was set up.

    Args:
        snapshot: that was restored.
        changed: settings that are as they were set up.
        left: what is as the snapshot has it, since it cannot be changed in mid-run.
        stacklevel: as in `warnings.warn`.
    """
    told = [f"{snapshot} was made with another configuration"]
    if changed:
        told.append(f"the run goes on otherwise: {'; '.join(map(str, changed))}")
    if left:
        listed = "; ".join(map(str, left))
        told.append(f"what cannot be changed is as the snapshot has it: {listed}")
    warn(". ".join(told), stacklevel=stacklevel + 1)


@contextlib.contextmanager
def _naming(owner: str, arguments: Iterable[str]) -> Iterator[None]:
    """Say of which settings an error is."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        listed = ", ".join(f"{owner}.{name}" for name in arguments)
        raise SnapshotMismatchError(f"{_CANNOT}: {listed}: {error}") from error


def _paths(value: Any, keys: Sequence[str]) -> Iterator[list[str]]:
    """Yield where in an argument's value there is a dict that has a key."""
    if isinstance(value, dict) and keys and keys[0] in value:
        yield list(keys)
        return
    inside = dict(enumerate(value)) if isinstance(value, list) else value
    for key, item in inside.items() if isinstance(inside, dict) else ():
        yield from ([str(key), *path] for path in _paths(item, keys))


def _at(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def _with(value: Any, keys: Sequence[str], new: Any) -> Any:
    """Return a copy of a value with another one at a place inside of it."""
    if not keys:
        return new
    first, *rest = keys
    if isinstance(value, list):
        place = int(first)
        return [*value[:place], _with(value[place], rest, new), *value[place + 1 :]]
    return {**value, first: _with(value[first], rest, new)}
