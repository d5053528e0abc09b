"""Names for arrays: which component's file an array goes to, and what it is called there.

`algo._policy._module.0.weight` is tensor `module.0.weight` of component `policy`; what hangs off
the algorithm itself is component `algo`. Underscores in front of names are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from garage_like.snapshot.arrays import View
from garage_like.snapshot.walk import is_torch_tensor, walk

_GRADIENTS = "gradients"
_UNNAMED = "unnamed"


def names_of(graph: Mapping[str, Any]) -> dict[int, str]:
    """Return the path of every array and tensor that a graph reaches, by id.

    Components that own weights are walked before those that merely use them, so a parameter bears
    the policy's name and not the optimiser's.
    """
    names: dict[int, str] = {}
    for path, value in walk(_owners_first(graph)):
        if is_torch_tensor(value):
            names.setdefault(id(value), path)
            if value.grad is not None if value.is_leaf else False:
                names.setdefault(id(value.grad), f"{_GRADIENTS}.{path}")
        elif isinstance(value, np.ndarray):
            names.setdefault(id(value), path)
    return names


def _owners_first(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Put the environment and its spaces first, then networks, then what else there is."""
    attributes = {f"algo.{k}": v for k, v in _attributes_of(graph.get("algo")).items()}
    networks = {k: v for k, v in attributes.items() if callable(getattr(v, "parameters", None))}
    env = {"env": graph["env"]} if "env" in graph else {}
    return {**env, **networks, **attributes, **graph}


def _attributes_of(algo: Any) -> dict[str, Any]:
    if algo is None or not hasattr(algo, "__dict__"):
        return {}
    attributes = dict(vars(algo))
    attributes.update(attributes.pop("_modules", None) or {})
    return {name: value for name, value in attributes.items() if hasattr(value, "__dict__")}


def component_and_key(path: str) -> tuple[str, str]:
    """Split the path of an array into its component and its name there."""
    if path.startswith(f"{_GRADIENTS}."):
        component, key = component_and_key(path.removeprefix(f"{_GRADIENTS}."))
        return _GRADIENTS, f"{component}.{key}"
    parts = [part.lstrip("_") or part for part in re.split(r"\.", path)]
    if parts[0] == "algo" and len(parts) > 2:
        parts = parts[1:]
    component = re.sub(r"[^A-Za-z0-9_-]", "_", parts[0])
    return component, ".".join(parts[1:]) or "value"


def tile(views: Sequence[View], nbytes: int) -> list[View]:
    """Choose which of the arrays in one buffer are written so that each byte is, exactly once.

    Smaller arrays that together cover the buffer win over one big array (parameters kept flat for
    speed appear under their own names); else the one that covers it whole; else what fits.
    """
    candidates = sorted(
        (v for v in _distinct(views) if v.contiguous and v.nbytes),
        key=lambda v: (v.start, -v.nbytes),
    )
    whole = [v for v in candidates if v.start == 0 and v.nbytes == nbytes]
    tiles = _without_overlap([v for v in candidates if v not in whole])
    if sum(v.nbytes for v in tiles) == nbytes:
        return tiles
    return whole[:1] or tiles


def _distinct(views: Sequence[View]) -> list[View]:
    chosen: dict[tuple[int, int], View] = {}
    for view in views:
        chosen.setdefault((view.start, view.nbytes), view)
    return list(chosen.values())


def _without_overlap(views: Sequence[View]) -> list[View]:
    chosen: list[View] = []
    end = 0
    for view in views:
        if view.start >= end:
            chosen.append(view)
            end = view.start + view.nbytes
    return chosen
