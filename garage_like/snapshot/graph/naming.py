"""Names for arrays: which component's file an array goes to, and what it is called there.

`algo._policy._module.0.weight` is tensor `module.0.weight` of component `policy`; what hangs off
the algorithm itself is component `algo`. Underscores in front of names are dropped.
"""

from __future__ import annotations

import collections
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from garage_like.snapshot.graph import mujoco_data, tf_arrays
from garage_like.snapshot.graph.parts import ATOMS, is_memory_class, parts_function
from garage_like.snapshot.graph.walk import is_torch_tensor_class
from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.attributes import Part, PartsFunction
from garage_like.snapshot.kinds.made_again import is_made_again
from garage_like.snapshot.rng import is_generator_class

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
    kinds: dict[type, _Kind] = {}
    for root in _owners_first(graph):
        queue = collections.deque([root])
        while queue:
            path, value = queue.popleft()
            if id(value) in seen:
                continue
            seen.add(id(value))
            cls = type(value)
            kind = kinds.get(cls)
            if kind is None:
                kind = kinds[cls] = _kind_of(cls)
            if kind.is_named:
                yield path, value
                value = saved.get(id(value), value)
                if kind.may_have_gradient and value.is_leaf and value.grad is not None:
                    yield f"{GRADIENTS}.{path}", value.grad
            if kind.parts is not None:
                for label, child in kind.parts(value):
                    cls = type(child)
                    if cls not in _ATOMS and (cls not in _CONTAINERS or child):
                        queue.append((path + label, child))


class _Kind(NamedTuple):
    """What the walk does with the objects of a class."""

    parts: PartsFunction | None
    is_named: bool
    may_have_gradient: bool


def _kind_of(cls: type) -> _Kind:
    is_tensor = is_torch_tensor_class(cls)
    is_named = (
        issubclass(cls, np.ndarray)
        or is_tensor
        or tf_arrays.is_tensor_class(cls)
        or is_memory_class(cls)
        or is_generator_class(cls)
        or is_made_again(cls)
        or mujoco_data.is_mujoco_data_class(cls)
    )
    if cls in (list, tuple):
        return _Kind(_elements, is_named, is_tensor)
    return _Kind(parts_function(cls, as_pickled=False), is_named, is_tensor)


def _elements(value: Sequence[Any]) -> list[Part]:
    """Return what is not a number or text: sequences of those are long."""
    return [(f"[{i}]", v) for i, v in enumerate(value) if type(v) not in _ATOMS]


def _owners_first(graph: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the environment, then the algorithm's attributes, networks first, then the rest."""
    algo = graph.get("algo")
    attributes = {} if not hasattr(algo, "__dict__") else dict(vars(algo))
    attributes.update(attributes.pop("_modules", None) or {})
    in_order = sorted(attributes.items(), key=lambda item: _rank(item[1]))
    env = [("env", graph["env"])] if "env" in graph else []
    return [*env, *((f"algo.{name}", value) for name, value in in_order), *graph.items()]


def _rank(value: Any) -> int:
    """Rank what owns weights first, a list of such like them, and what samples with them last."""
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
