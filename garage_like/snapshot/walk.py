"""Walk the object graph of a run: what is reachable, and under which path.

A path reads like code: `algo.policy._module.0.weight`. It names tensors in snapshot files, points
at what cannot be pickled, and says where two states differ. The walk goes where pickle would go,
and shows random generators as the numbers that they hold.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import random
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from garage_like.snapshot import env_state

ATOMS = (type(None), bool, int, float, complex, str, bytes, bytearray, range, slice, type(...))
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType)
Node = tuple[str, Any]


def walk(graph: Mapping[str, Any]) -> Iterator[Node]:
    """Yield every object that a graph reaches as (path, object), once each, parents first.

    Args:
        graph: top-level objects by name. An object that is reachable by several paths is known by
            one from the first of them that reaches it, and there by the shortest.
    """
    seen: dict[int, Any] = {}
    for name, top in graph.items():
        queue: collections.deque[Node] = collections.deque([(name, top)])
        while queue:
            path, value = queue.popleft()
            if type(value) in ATOMS:
                yield path, value
            elif id(value) not in seen:
                seen[id(value)] = value
                yield path, value
                queue.extend((path + label, child) for label, child in children(value))


def children(value: Any) -> list[Node]:
    """Return what an object holds, as (label, object); a label extends the path of its owner."""
    if isinstance(value, np.ndarray):
        return [(f"[{i}]", v) for i, v in enumerate(value.flat)] if value.dtype.hasobject else []
    if isinstance(value, ATOMS + _CODE + (np.generic,)) or is_torch_tensor(value):
        return []
    if isinstance(value, collections.abc.Mapping) and type(value).__module__ in (
        "builtins",
        "collections",
    ):
        return [(_key_label(key), v) for key, v in value.items()]
    if isinstance(value, list | tuple | collections.deque):
        return [(f"[{i}]", v) for i, v in enumerate(value)] + _attributes_of(value)
    if isinstance(value, set | frozenset):
        return [(f"{{{i}}}", v) for i, v in enumerate(sorted(value, key=repr))]
    if isinstance(value, types.MethodType):
        return [(".__self__", value.__self__)]
    if isinstance(value, functools.partial):
        return [(".func", value.func), (".args", value.args), (".keywords", value.keywords)]
    return _state_of(value)


def _state_of(value: Any) -> list[Node]:
    """Return the parts of an object that is no plain container."""
    generator = _generator_state(value)
    if generator is not None:
        return [(".state", generator), *_seed_sequence_of(value)]
    if env_state.is_mujoco_data(value):
        return _attributes(env_state.mujoco_arrays(value))
    if _is_torch_optimizer(value):
        return _optimizer_parts(value)
    if env_state.is_gymnasium_env(value):
        reduced = env_state.reduce_env(value)
        return _attributes(reduced[2]) if reduced is not NotImplemented else _attributes_of(value)
    if hasattr(value, "__dict__") and _pickles_its_dict(value):
        return _attributes_of(value)
    return _reduced_parts(value)


def _seed_sequence_of(value: Any) -> list[Node]:
    """Return what a NumPy generator was seeded from: children that it spawns depend on it."""
    seed_sequence = getattr(getattr(value, "bit_generator", None), "seed_seq", None)
    if not isinstance(seed_sequence, np.random.SeedSequence):
        return []
    spawned = seed_sequence.n_children_spawned
    return [(".seed_seq.pool", seed_sequence.pool), (".seed_seq.n_children_spawned", spawned)]


def _generator_state(value: Any) -> Any:
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if isinstance(value, np.random.RandomState):
        return value.get_state()
    if isinstance(value, random.Random):
        return value.getstate()
    torch = sys.modules.get("torch")
    if torch is not None and type(value) is torch.Generator:
        return value.get_state()
    return None


def _pickles_its_dict(value: Any) -> bool:
    cls = type(value)
    return (
        getattr(cls, "__getstate__", None) is getattr(object, "__getstate__", None)
        and cls.__reduce__ is object.__reduce__
        and cls.__reduce_ex__ is object.__reduce_ex__
    ) or _is_torch_module(value)


def _attributes_of(value: Any) -> list[Node]:
    parts = _attributes(vars(value)) if hasattr(value, "__dict__") else []
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                parts.append((f".{name}", getattr(value, name)))
    return parts


def _attributes(state: Mapping[str, Any]) -> list[Node]:
    parts: list[Node] = []
    for name, child in state.items():
        if name in ("_parameters", "_buffers", "_modules") and isinstance(child, dict):
            parts += [(f".{key}", v) for key, v in child.items() if v is not None]
        else:
            parts.append((f".{name}", child))
    return parts


def _reduced_parts(value: Any) -> list[Node]:
    """Ask pickle what an object is made of; one that refuses has no parts."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return []
    if not isinstance(reduced, tuple):
        return []
    arguments = [(f"({i})", v) for i, v in enumerate(reduced[1]) if not isinstance(v, _CODE)]
    state = reduced[2] if len(reduced) > 2 else None
    if isinstance(state, dict):
        return arguments + _attributes(state)
    return arguments if state is None else [*arguments, (".state", state)]


def _key_label(key: Any) -> str:
    if isinstance(key, str):
        return f".{key}"
    return (
        f"[{key!r}]" if isinstance(key, int | float | bool | bytes | type(None)) else f"[{key!s}]"
    )


def is_torch_tensor(value: Any) -> bool:
    """Tell whether a value is a torch tensor; loads nothing."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_torch_module(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _is_torch_optimizer(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.optim.Optimizer)


def _optimizer_parts(optimizer: Any) -> list[Node]:
    """Return groups and slots; slots by the number of their parameter, as in a state_dict."""
    parts: list[Node] = []
    number = 0
    for index, group in enumerate(optimizer.param_groups):
        parts += [(f".param_groups[{index}].{k}", v) for k, v in group.items() if k != "params"]
        for parameter in group["params"]:
            slots = optimizer.state.get(parameter, {})
            parts += [(f".state[{number}].{name}", v) for name, v in slots.items()]
            parts.append((f".params[{number}]", parameter))
            number += 1
    return parts


def leaves(graph: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest for every number, string and array that a graph reaches, by path.

    Two states are equal, bit for bit, exactly if these are: what the promise of exact resume is
    tested with.
    """
    return {
        path: digest for path, value in walk(graph) if (digest := leaf_digest(value)) is not None
    }


def leaf_digest(value: Any) -> str | None:
    """Return the digest of a leaf's bits and type, or None if it is no leaf."""
    if type(value) in ATOMS or isinstance(value, np.generic):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return _array_digest(value)
    if is_torch_tensor(value):
        from garage_like.snapshot.torch_arrays import tensor_bytes

        return f"{value.dtype}{tuple(value.shape)}:{_hash(tensor_bytes(value))}"
    return None


def _array_digest(array: np.ndarray) -> str:
    return f"{array.dtype.str}{array.shape}:{_hash(np.ascontiguousarray(array).tobytes())}"


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def find_unpicklable(graph: Mapping[str, Any], can_pickle: Any) -> str | None:
    """Return the path of the object that keeps a graph from being pickled.

    Args:
        graph: top-level objects by name.
        can_pickle: tells whether a value pickles on its own.
    """
    for name, value in graph.items():
        if not can_pickle(value):
            return _deepest(name, value, can_pickle, set())
    return None


def _deepest(path: str, value: Any, can_pickle: Any, seen: set[int]) -> str:
    seen.add(id(value))
    for label, child in children(value):
        if id(child) not in seen and not can_pickle(child):
            return _deepest(path + label, child, can_pickle, seen)
    return path
