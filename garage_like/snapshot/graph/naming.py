"""Names for arrays: which component's file an array goes to, and what it is called there.

`algo._policy._module.0.weight` is tensor `module.0.weight` of component `policy`; what hangs off
the algorithm itself is component `algo`. Underscores in front of names are dropped.
"""

from __future__ import annotations

import collections
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from garage_like.envs.env_list import EnvList
from garage_like.snapshot.graph.parts import is_memory_class, parts_function
from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.attributes import ATOMS, Part, PartsFunction
from garage_like.snapshot.kinds.registry import KINDS

GRADIENTS = "gradients"
UNNAMED = "objects.unnamed"
_OF_NETWORKS = ("parameters", "get_param_values", "trainable_variables")
_ATOMS = frozenset(ATOMS)
_CONTAINERS = frozenset((dict, collections.OrderedDict, list, tuple, set))


class Name(NamedTuple):
    """The path of an array, and its place among all: what is named earlier owns the array."""

    place: int
    path: str


def names_of(graph: Mapping[str, Any], saved: Mapping[int, Any] | None = None) -> dict[int, Name]:
    """Return the path of every array, tensor and replay memory that a graph reaches, by id.

    Components that own weights are gone through before those that merely use them, so a parameter
    bears the policy's name and not the optimizer's. Objects are not asked how they want to be
    pickled: that may copy what they hold.

    Args:
        graph: top-level objects by name.
        saved: objects, by id, in whose place others are saved.
    """
    names: dict[int, Name] = {}
    for path, value in named_objects(graph, saved or {}):
        names.setdefault(id(value), Name(len(names), path))
    return names


def named_objects(graph: Mapping[str, Any], saved: Mapping[int, Any]) -> Iterator[Part]:
    """Yield path and object of all that `names_of` names."""
    seen: set[int] = set()
    rules: dict[type, _Rule] = {}
    for root in _owners_first(graph):
        queue = collections.deque([root])
        while queue:
            path, value = queue.popleft()
            if id(value) in seen:
                continue
            seen.add(id(value))
            cls = type(value)
            rule = rules.get(cls)
            if rule is None:
                rule = rules[cls] = _rule_for(cls)
            if rule.is_named:
                yield path, value
                value = saved.get(id(value), value)
                gradient = None if rule.gradient is None else rule.gradient(value)
                if gradient is not None:
                    yield f"{GRADIENTS}.{path}", gradient
            if rule.parts is not None:
                for label, child in rule.parts(value):
                    cls = type(child)
                    if cls not in _ATOMS and (cls not in _CONTAINERS or child):
                        queue.append((path + label, child))


class _Rule(NamedTuple):
    """What the walk does with the objects of a class."""

    parts: PartsFunction | None
    is_named: bool
    gradient: Callable[[Any], Any] | None


def _rule_for(cls: type) -> _Rule:
    kinds = KINDS.of(cls)
    gradient = next((kind.gradient for kind in kinds if kind.is_named(cls)), None)
    is_generator = any(kind.is_generator(cls) for kind in kinds)
    is_named = gradient is not None or is_generator or is_memory_class(cls)
    if cls is EnvList:
        return _Rule(_environments, True, None)
    in_order = cls in (list, tuple)
    parts = _elements if in_order else parts_function(cls, as_pickled=False)
    return _Rule(parts, is_named, gradient)


def _elements(value: Sequence[Any]) -> list[Part]:
    """Return what is not a number or text: sequences of those are long."""
    return [(f"[{i}]", v) for i, v in enumerate(value) if type(v) not in _ATOMS]


def _environments(envs: EnvList) -> list[Part]:
    """Return the environments that are saved as such: the columns of the others bear the list's."""
    return _elements(envs if envs.columns is None else envs[:1])


def _owners_first(graph: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the environment, then the algorithm's attributes, networks first, then the rest."""
    algo = graph.get("algo")
    attributes = {} if not hasattr(algo, "__dict__") else dict(vars(algo))
    attributes.update(attributes.pop("_modules", None) or {})
    in_order = sorted(attributes.items(), key=lambda item: _rank(item[1]))
    env = [("env", graph["env"])] if "env" in graph else []
    return [*env, *((f"algo.{name}", value) for name, value in in_order), *graph.items()]


def _rank(value: Any) -> int:
    """Rank what owns weights first, a list of such objects, and what samples with them last."""
    cls = type(value)
    if any(hasattr(cls, name) for name in _OF_NETWORKS):
        return 0
    if cls in (list, tuple, dict):
        members = value.values() if cls is dict else value
        return min((_rank(member) for member in members if type(member) is not cls), default=1)
    return 2 if hasattr(cls, "obtain_samples") else 1


@functools.lru_cache(8192)
def component_and_key(path: str) -> tuple[str, str]:
    """Split the path of an array into its component and its name there."""
    if path.startswith(f"{GRADIENTS}."):
        component, key = component_and_key(path.removeprefix(f"{GRADIENTS}."))
        return GRADIENTS, f"{component}.{key}"
    parts = [part.lstrip("_") or part for part in path.split(".")]
    if parts[0] == "algo" and len(parts) > 2:
        parts = parts[1:]
    component = re.sub(r"[^A-Za-z0-9_-]", "_", parts[0])
    return component, ".".join(parts[1:]) or "value"


def tile(views: Sequence[tuple[Name, View]], nbytes: int) -> list[tuple[Name, View]]:
    """Choose which of the arrays in a piece of memory are written so that no byte is twice.

    Smaller arrays that together cover the memory win over one big array (parameters kept flat for
    speed appear under their own names); else the one that covers it whole; else what fits.

    Args:
        views: arrays that look at the memory.
        nbytes: of the memory.

    Returns:
        Arrays without gaps, in order, none overlapping another.
    """
    candidates = [(name, v) for name, v in views if v.axes is not None and v.nbytes]
    candidates = [(name, v) for name, v in candidates if name.path != UNNAMED] or candidates
    if len(candidates) <= 1:
        return candidates
    candidates.sort(key=lambda candidate: (_is_permuted(candidate[1]), candidate[0].place))
    chosen: dict[tuple[int, int], tuple[Name, View]] = {}
    for name, view in candidates:
        chosen.setdefault((view.start, view.nbytes), (name, view))
    whole = chosen.pop((0, nbytes), None)
    tiles = _without_overlap([chosen[place] for place in sorted(chosen, key=_start_then_longest)])
    if whole is not None and sum(view.nbytes for _, view in tiles) != nbytes:
        return [whole]
    return tiles


def _start_then_longest(place: tuple[int, int]) -> tuple[int, int]:
    return place[0], -place[1]


def _is_permuted(view: View) -> bool:
    return view.axes != tuple(range(len(view.shape)))


def _without_overlap(views: Sequence[tuple[Name, View]]) -> list[tuple[Name, View]]:
    chosen: list[tuple[Name, View]] = []
    end = 0
    for name, view in views:
        if view.start >= end:
            chosen.append((name, view))
            end = view.start + view.nbytes
    return chosen
