"""What an object is made of: the parts that pickle would save, each with a label.

Labels read like code: the parts of `algo` with labels `._rng` and `.hidden[0]` have the paths
`algo._rng` and `algo.hidden[0]`. Random generators show the numbers that they hold.
"""

from __future__ import annotations

import collections
import enum
import functools
import re
import types
from typing import Any

import numpy as np

from garage_like.data.table import Table
from garage_like.envs.env_list import EnvList
from garage_like.snapshot.kinds.attributes import (
    ATOMS,
    CODE,
    Part,
    PartsFunction,
    attributes_of,
    dict_parts,
    reduced_parts,
)
from garage_like.snapshot.kinds.registry import KINDS


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
    if cls in ATOMS or issubclass(cls, (*CODE, np.generic, np.dtype, enum.Enum)):
        return None
    if issubclass(cls, ATOMS):
        return attributes_of
    for kind in KINDS.of(cls):
        function = kind.parts_function(cls, as_pickled=as_pickled)
        if function is not None:
            return function
    for container, function in _CONTAINERS.items():
        if issubclass(cls, container):
            return function
    if issubclass(cls, Table):
        return _table_parts if as_pickled else attributes_of
    return reduced_parts if as_pickled and not _pickles_its_attributes(cls) else attributes_of


_cached_parts_function = KINDS.remembered(parts_function)


def is_memory_class(cls: type) -> bool:
    """Tell whether objects of a class are replay memory: see `interfaces.ReplayMemory`."""
    return hasattr(cls, "without_transitions")


def _pickles_its_attributes(cls: type) -> bool:
    return (
        cls.__getstate__ is object.__getstate__
        and cls.__reduce__ is object.__reduce__
        and cls.__reduce_ex__ is object.__reduce_ex__
    )


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


def _table_parts(table: Table) -> list[Part]:
    """Return the rows by column; the table's name is left out, since equal tables differ in it."""
    columns = [(f".{name}", table.column(name)) for name in table.columns]
    return [(".num_rows", table.num_rows), (".changed", table.changed), *columns]


_CONTAINERS: dict[type | tuple[type, ...], PartsFunction] = {
    EnvList: lambda envs: [(f"[{i}]", env) for i, env in enumerate(envs)],
    dict: dict_parts,
    (list, tuple, collections.deque): _sequence_parts,
    (set, frozenset): _set_parts,
    types.MethodType: lambda method: [(".__self__", method.__self__)],
    functools.partial: _partial_parts,
}
