"""What differs between two configurations: of a snapshot, and of what was set up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Sections = dict[str, dict[str, Any]]
ConfigPolicy = Literal["error", "warn", "ignore", "update"]

CLASS = "class"
PARAMETERS = "parameters"
ENV_SPEC = "env_spec"
_LAUNCHER = "__main__"

# What the first epoch of an algorithm makes if it was given none: older snapshots name it, as if
# it had been given.
_MADE_LATER = {"sampler": {"worker_class": "FragmentWorker", "worker_args": {"n_envs": 1}}}


@dataclass(frozen=True)
class Difference:
    """An argument that two configurations differ in.

    Attributes:
        path: names of the parts that lead to it, and its own.
        was: what was recorded; None, too, if nothing was.
        now: what was set up.
        told: both, as one reads them.
    """

    path: tuple[str, ...]
    was: Any
    now: Any
    told: tuple[str, str]

    def __str__(self) -> str:
        """Name the argument, with both values."""
        return f"{'.'.join(self.path)} was {self.told[0]} and is now {self.told[1]}"


def check_config_policy(config_policy: Any) -> None:
    """Raise ValueError unless this says what to do about another configuration."""
    if config_policy not in get_args(ConfigPolicy):
        raise ValueError(
            f"config_policy must be 'error', 'warn', 'ignore' or 'update', got {config_policy!r}"
        )


def differences(recorded: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Say what differs between two configurations, by key, with both values: see `compare`."""
    return [str(difference) for difference in compare(recorded, expected)]


def compare(recorded: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two configurations.

    What only one of them has is no difference: a later version may know another argument. The
    parameters of an experiment are compared whole.

    Args:
        recorded: sections of a snapshot, which may be of any origin.
        expected: sections of what was set up.
    """
    found: list[Difference] = []
    for name, section in expected.items():
        was = recorded.get(name)
        if isinstance(was, dict) and name == PARAMETERS:
            found += _differences((name,), was, section, dict.fromkeys([*was, *section]))
        elif isinstance(was, dict):
            found += _differences_of_parts((name,), was, section, recorded, expected)
    return found


def _differences_of_parts(
    path: tuple[str, ...],
    was: Mapping[str, Any],
    is_now: Mapping[str, Any],
    recorded: Mapping[str, Any],
    expected: Mapping[str, Any],
) -> Iterator[Difference]:
    if _bare_name(was.get(CLASS)) != _bare_name(is_now.get(CLASS)):
        yield from _differences(path, was, is_now, [CLASS])
        return
    for key in [key for key in is_now if key in was and key != CLASS]:
        one, other = _part(was[key], recorded), _part(is_now[key], expected)
        if is_now[key] is None and one is not None and _was_made_later(key, one):
            continue
        if one is None or other is None:
            yield from _differences(path, was, is_now, [key])
        elif was[key] != is_now[key]:
            yield from _differences_of_parts((*path, key), one, other, recorded, expected)


def _part(value: Any, sections: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what describes a part, there or by the name of its section; None: it is no part."""
    found = sections.get(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) and CLASS in found else None


def _was_made_later(argument: str, section: Mapping[str, Any]) -> bool:
    """Tell whether a recorded part is what the algorithm makes where nothing is given."""
    makes = _MADE_LATER.get(argument)
    return makes is not None and all(
        _bare_name(section.get(key)) == value
        if isinstance(value, str)
        else section.get(key) == value
        for key, value in makes.items()
    )


def _bare_name(qualified: Any) -> str:
    """Return the name of a class or function without its module, which may have moved."""
    return str(qualified).rpartition(".")[2]


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether both name one thing of a launcher, which was started once and imported once."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    return any(
        name.startswith(f"{_LAUNCHER}.") and full.endswith(name.removeprefix(_LAUNCHER))
        for name, full in ((one, other), (other, one))
    )


def _differences(
    path: tuple[str, ...], was: Mapping[str, Any], is_now: Mapping[str, Any], keys: Iterable[str]
) -> Iterator[Difference]:
    for key in keys:
        one, other = (json.dumps(x[key]) if key in x else "absent" for x in (was, is_now))
        if one != other and not _is_same(was.get(key), is_now.get(key)):
            yield Difference((*path, key), was.get(key), is_now.get(key), (one, other))
