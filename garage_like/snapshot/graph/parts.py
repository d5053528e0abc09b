"""What an object is made of: the parts that pickle would save, each with a label.

Labels read like code: the parts of `algo` with labels `._rng` and `.hidden[0]` have the paths
`algo._rng` and `algo.hidden[0]`. Random generators show the numbers that they hold.
"""

from __future__ import annotations

import collections
import enum
import functools
import random
import re
import sys
import types
from typing import Any

import numpy as np

from garage_like.data.env_layers import is_gymnasium_class
from garage_like.data.table import Table
from garage_like.snapshot.graph import ale_state, env_state, keras_objects, mujoco_data, tf_arrays
from garage_like.snapshot.graph.functions import is_compiled_class
from garage_like.snapshot.kinds.attributes import Part, PartsFunction, attributes_of, labelled
from garage_like.snapshot.kinds.made_again import is_made_again

ATOMS = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...), bytearray)
CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType)


def parts_of(value: Any) -> list[Part]:
    """Return what pickle would save of an object, as (label, object)."""
    cls: Any = type(value)
    function = _cached_parts_function(cls)
    return [] if function is None else function(value)


def parts_function(cls: type, *, as_pickled: bool = True) -> PartsFunction | None:
    """Return what finds the parts of all objects of a class; None if they have none.

    Args:
        cls: of the objects.
        as_pickled: ask objects that have a say in how they are pickled, as pickle does. False
            looks at their attributes instead, which cannot make copies of anything.
    """
    torch = sys.modules.get("torch")
    if cls in ATOMS or issubclass(cls, (*CODE, np.generic, np.dtype, enum.Enum)):
        return None
    if issubclass(cls, ATOMS):
        return attributes_of
    if is_compiled_class(cls) or is_made_again(cls):
        return None
    if keras_objects.kind_of(cls) is not None:
        return keras_objects.parts
    if tf_arrays.kind_of(cls) is not None:
        return tf_arrays.parts_function(cls, as_pickled=as_pickled)
    for kind, function in _CONTAINERS.items():
        if issubclass(cls, kind):
            return function
    for kind, function in _GENERATORS.items():
        if issubclass(cls, kind):
            return function if as_pickled else _seed_parts
    if torch is not None and (
        issubclass(cls, torch.Tensor | torch.Generator | torch.optim.Optimizer | torch.nn.Module)
    ):
        from garage_like.snapshot.graph import torch_arrays

        return torch_arrays.parts_function(cls, as_pickled=as_pickled)
    if issubclass(cls, Table):
        return _table_parts if as_pickled else attributes_of
    if mujoco_data.is_mujoco_data_class(cls):
        return _mujoco_parts if as_pickled else None
    if ale_state.is_ale_class(cls):
        return _ale_parts if as_pickled else None
    if not as_pickled or _pickles_its_attributes(cls):
        return attributes_of
    return _gymnasium_parts if is_gymnasium_class(cls) else _reduced_parts


_cached_parts_function = functools.lru_cache(1024)(parts_function)


def is_memory_class(cls: type) -> bool:
    """Tell whether objects of a class are replay memory: see `interfaces.ReplayMemory`."""
    return hasattr(cls, "without_transitions")


def _pickles_its_attributes(cls: type) -> bool:
    return (
        cls.__getstate__ is object.__getstate__
        and cls.__reduce__ is object.__reduce__
        and cls.__reduce_ex__ is object.__reduce_ex__
        and not is_gymnasium_class(cls)
    )


def _array_parts(array: np.ndarray) -> list[Part]:
    elements = enumerate(array.flat) if array.dtype.hasobject else ()
    return [(f"[{i}]", v) for i, v in elements] + attributes_of(array)


def _dict_parts(value: dict[Any, Any]) -> list[Part]:
    parts: list[Part] = []
    for number, (key, child) in enumerate(value.items()):
        if isinstance(key, str):
            parts.append(("." + key, child))
        elif is_constant(key):
            parts.append((f"[{key!r}]", child))
        else:
            parts += [(f"[key {number}]", key), (f"[value {number}]", child)]
    has_attributes = type(value) is not dict and getattr(value, "__dict__", True)
    return parts + attributes_of(value) if has_attributes else parts


def _sequence_parts(value: Any) -> list[Part]:
    """Return the elements by number; those of a NamedTuple by name."""
    fields = getattr(type(value), "_fields", None)
    labels = [f"[{i}]" for i in range(len(value))] if fields is None else [f".{f}" for f in fields]
    return [*zip(labels, value, strict=True), *attributes_of(value)]


def _set_parts(value: Any) -> list[Part]:
    """Return the elements in an order that does not depend on hashes or addresses."""
    in_order = sorted(value, key=lambda v: (type(v).__name__, re.sub(r"0x[0-9a-f]+", "", repr(v))))
    return [(f"{{{i}}}", v) for i, v in enumerate(in_order)] + attributes_of(value)


def _partial_parts(value: functools.partial[Any]) -> list[Part]:
    return [(".func", value.func), (".args", value.args), (".keywords", value.keywords)]


def _generator_parts(value: np.random.Generator) -> list[Part]:
    return [(".state", value.bit_generator.state), *_seed_parts(value)]


def _seed_parts(value: Any) -> list[Part]:
    """Return what a NumPy generator was seeded from: children that it spawns depend on it."""
    seeds = getattr(getattr(value, "bit_generator", None), "seed_seq", None)
    if not isinstance(seeds, np.random.SeedSequence):
        return []
    spawned = seeds.n_children_spawned
    return [(".seed_seq.pool", seeds.pool), (".seed_seq.n_children_spawned", spawned)]


def _table_parts(table: Table) -> list[Part]:
    """Return the rows by column; the table's name is left out, since equal tables differ in it."""
    columns = [(f".{name}", table.column(name)) for name in table.columns]
    return [(".num_rows", table.num_rows), (".changed", table.changed), *columns]


def _mujoco_parts(value: Any) -> list[Part]:
    return labelled(mujoco_data.mujoco_arrays(value))


def _ale_parts(value: Any) -> list[Part]:
    parts = labelled(ale_state.ale_settings(value))
    loaded = value.getString("rom_file")
    return [*parts, (".state", ale_state.ale_bytes(value))] if loaded else parts


_CONTAINERS: dict[type | tuple[type, ...], PartsFunction] = {
    np.ndarray: _array_parts,
    dict: _dict_parts,
    (list, tuple, collections.deque): _sequence_parts,
    (set, frozenset): _set_parts,
    types.MethodType: lambda method: [(".__self__", method.__self__)],
    functools.partial: _partial_parts,
}
_GENERATORS: dict[type, PartsFunction] = {
    np.random.Generator: _generator_parts,
    np.random.RandomState: lambda generator: [(".state", generator.get_state())],
    random.Random: lambda generator: [(".state", generator.getstate())],
}


def _gymnasium_parts(env: Any) -> list[Part]:
    reduced = env_state.reduce_gymnasium_env(env)
    return _reduced_parts(env) if reduced is NotImplemented else labelled(reduced[2])


def _reduced_parts(value: Any) -> list[Part]:
    """Ask pickle what an object is made of; one that refuses has no parts."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return []
    if not isinstance(reduced, tuple):
        return []
    _, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    parts = [(f"({i})", v) for i, v in enumerate(arguments) if not isinstance(v, CODE)]
    if isinstance(state, dict):
        parts += labelled(state)
    elif state is not None:
        parts.append((".state", state))
    parts += [(f"[{i}]", v) for i, v in enumerate(items or ())]
    return parts + _dict_parts(dict(pairs or ()))


def is_constant(value: Any) -> bool:
    """Tell whether a value cannot change, nor anything in it: it matters not who shares it."""
    if isinstance(value, ATOMS):
        return not isinstance(value, bytearray) and not hasattr(value, "__dict__")
    if isinstance(value, tuple | frozenset):
        return all(map(is_constant, value)) and not hasattr(value, "__dict__")
    return isinstance(value, np.generic | np.dtype | enum.Enum)
