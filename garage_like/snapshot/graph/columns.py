"""Columns: many objects that are alike as a few arrays, one for each number in them.

All N objects are gone through in step. What is the same constant in all is kept once; numbers
become one array, arrays one stacked array, generators one array of their states. Nothing is assumed
of a class: all attributes are read at each capture. Objects that differ in kind, or share some
object that can change, are not kept so, but one by one as any others are.
"""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from garage_like.envs.env_list import EnvList
from garage_like.snapshot.kinds.attributes import NEW_OBJECT, is_constant
from garage_like.snapshot.kinds.environments import only_brings_up_to_date

FEWEST = 16
"""Below so many copies, a list of objects is as quick."""

AsUsual = Callable[[Any], bool]

_NUMBERS: dict[type, type] = {float: np.float64, int: np.int64, bool: np.bool_}
_FORM = operator.attrgetter("shape", "dtype", "flags.carray")  # in a row, aligned, writeable
_SEEDS = operator.attrgetter("entropy", "spawn_key", "pool_size", "n_children_spawned")
_ATTRIBUTES = operator.attrgetter("__dict__")
_ONLY_ITS_VIEW = 2  # and the call that counts
_WORD = (1 << 64) - 1


class DifferError(Exception):
    """The objects are not alike enough."""


class Column:
    """How N values are kept.

    Attributes:
        kind: the class of the values, 'one' constant for all, or 'each' a constant of its own.
        content: the constant, the constants, an array, or the names of the parts.
        parts: columns of what the values are made of.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.content: Any = None
        self.parts: list[Column] = []


def reduce_env_list(envs: EnvList, as_usual: AsUsual) -> tuple[Any, list[np.ndarray]]:
    """Return how pickle saves environments, and the arrays that their copies have become.

    Args:
        envs: the first is saved as any other object.
        as_usual: tells whether pickle saves an object by itself.
    """
    try:
        if len(envs) <= FEWEST:
            raise DifferError
        columns = _Columns(as_usual, envs.columns)
        root = columns.of(envs[1:])
    except DifferError:
        envs.columns = None
        return envs.__reduce_ex__(5), []
    columns.forget()
    envs.columns = columns
    return (rebuild_env_list, (envs[0], root, len(envs) - 1)), columns.arrays


def rebuild_env_list(first: Any, column: Column, count: int) -> EnvList:
    """Make the environments again, as new objects."""
    return EnvList([first, *_Objects(count).of(column)])


class _Columns:
    """Turn N values into a column; used once.

    Args:
        as_usual: tells whether pickle saves an object by itself.
        before: of the capture before: generators are seeded by what they were, nearly always.
    """

    def __init__(self, as_usual: AsUsual, before: _Columns | None) -> None:
        self._as_usual = as_usual
        self._met: dict[int, tuple[Column, Sequence[Any]]] = {}
        self._open: set[int] = set()
        self.arrays: list[np.ndarray] = []
        self._seeds = {} if before is None else before.seeds
        self.seeds: dict[int, tuple[Column, Sequence[Any]]] = {}

    def forget(self) -> None:
        """Let go of all that the capture after this one does not compare with."""
        self._met, self._as_usual = {}, bool

    def of(self, values: Sequence[Any]) -> Column:
        first, cls = values[0], type(values[0])
        if _are_one(values):
            if not _stays(first):
                raise DifferError
            return _constant("one", first)
        met = self._met.get(id(first))
        if met is not None:  # on another path: it must have been so for all
            if not _are_same(met[1], values) or id(first) in self._open:
                raise DifferError
            return met[0]
        if len(set(map(type, values))) > 1:
            return self._each(values)
        if cls in _NUMBERS or issubclass(cls, np.number | np.bool_):
            return self._numbers(cls, values)
        if issubclass(cls, np.dtype) and first.kind in "biufc" and len({*values}) == 1:
            return _constant("one", first)
        if _stays(first):
            return self._each(values)
        # A set of objects that are equal to nothing else is had in a third of the time.
        by_identity = cls.__hash__ is object.__hash__
        if len(set(values if by_identity else map(id, values))) < len(values):
            raise DifferError
        column = Column(cls)
        self._met[id(first)] = column, values
        self._fill(column, cls, values)
        return column

    def _each(self, values: Sequence[Any]) -> Column:
        if not all(map(_stays, values)):
            raise DifferError
        return _constant("each", [*values])

    def _numbers(self, cls: type, values: Sequence[Any]) -> Column:
        try:
            column = _constant(cls, np.array(values, _NUMBERS.get(cls, cls)))
        except OverflowError:
            return self._each(values)
        self.arrays.append(column.content)
        return column

    def _fill(self, column: Column, cls: Any, values: Sequence[Any]) -> None:
        if cls is np.ndarray:
            column.content = _stacked(values)
            self.arrays.append(column.content)
        elif cls is dict:
            self._add_rows(column, values)
        elif cls is list or cls is tuple:
            if len(set(map(len, values))) > 1:
                raise DifferError
            # A tuple that is part of itself cannot be made before its parts are.
            self._open.update([id(values[0])] if cls is tuple else [])
            column.parts = [self.of(part) for part in zip(*values, strict=True)]
            self._open.discard(id(values[0]))
        elif cls is np.random.Generator:
            bits = [generator.bit_generator for generator in values]
            if {*map(type, bits)} != {np.random.PCG64}:
                raise DifferError
            column.content = _states(bits)
            self.arrays.append(column.content)
            column.parts = [self.of([bit.seed_seq for bit in bits])]
        elif cls is np.random.SeedSequence:
            self._add_seeds(column, values)
        elif _is_plain(cls, values[0]) and self._as_usual(values[0]):
            self._add_rows(column, [*map(_ATTRIBUTES, values)])
        else:
            raise DifferError

    def _add_rows(self, column: Column, rows: Sequence[dict[Any, Any]]) -> None:
        names = tuple(rows[0])
        if len(set(map(len, rows))) > 1 or not all(map(_stays, names)):
            raise DifferError
        column.content = names
        if not names:
            return
        # All names of one object, then of the next: that is how they lie in memory.
        pick = operator.itemgetter(*names)
        try:
            picked = [*map(pick, rows)]
        except KeyError as error:
            raise DifferError from error
        parts = zip(*picked, strict=True) if len(names) > 1 else [picked]
        column.parts = [self.of(part) for part in parts]

    def _add_seeds(self, column: Column, values: Sequence[Any]) -> None:
        known = self._seeds.get(id(values[0]))
        if known is not None and _are_same(known[1], values):
            parts = known[0].parts[:3]  # only the number of children changes
            self.arrays += [part.content for part in parts if isinstance(part.content, np.ndarray)]
        else:
            seeds = zip(*map(_SEEDS, values), strict=True)
            parts = [self.of(part) for part in itertools.islice(seeds, 3)]
        spawned = [value.n_children_spawned for value in values]
        column.parts = [*parts, self.of(spawned)]
        self.seeds[id(values[0])] = column, values


class _Objects:
    """Make N values of a column again; a column that is met twice is made once."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._made: dict[int, list[Any]] = {}

    def of(self, column: Column) -> list[Any]:
        if id(column) not in self._made:
            self._made[id(column)] = []
            values = self._made[id(column)] = self._values(column)
            assert len(values) == self._count
        return self._made[id(column)]

    def _values(self, column: Column) -> list[Any]:
        kind, content = column.kind, column.content
        if kind == "one":
            return [content] * self._count
        if kind == "each":
            return list(content)
        if kind in _NUMBERS:
            numbers: list[Any] = content.tolist()
            return numbers
        if issubclass(kind, np.generic):
            return [*content]
        if kind is np.ndarray:
            return [row.copy() for row in content]
        if kind is dict:
            values = self._made[id(column)] = [{} for _ in range(self._count)]
            for value, row in zip(values, self._rows(column), strict=True):
                value.update(zip(content, row, strict=True))
            return values
        if kind is list:
            values = self._made[id(column)] = [[] for _ in range(self._count)]
            for value, row in zip(values, self._rows(column), strict=True):
                value.extend(row)
            return values
        if kind not in (np.random.Generator, np.random.SeedSequence, tuple):
            # Objects, which may refer to each other.
            values = self._made[id(column)] = [object.__new__(kind) for _ in range(self._count)]
            for value, row in zip(values, self._rows(column), strict=True):
                vars(value).update(zip(content, row, strict=True))
            return values
        rows = self._rows(column)
        if kind is np.random.Generator:
            return [
                _generator(s, state) for (s,), state in zip(rows, content.tolist(), strict=True)
            ]
        if kind is np.random.SeedSequence:
            return [
                np.random.SeedSequence(e, spawn_key=k, pool_size=p, n_children_spawned=c)
                for e, k, p, c in rows
            ]
        return [*rows]

    def _rows(self, column: Column) -> Iterable[tuple[Any, ...]]:
        if not column.parts:
            return [()] * self._count
        return zip(*[self.of(part) for part in column.parts], strict=True)


def _constant(kind: Any, content: Any) -> Column:
    column = Column(kind)
    column.content = content
    return column


def _stays(value: Any) -> bool:
    """Tell whether it makes no difference who shares a value."""
    return value is None or is_constant(value) or isinstance(value, type)


def _are_one(values: Sequence[Any]) -> bool:
    first = values[0]
    return values[-1] is first and all(map(operator.is_, values, itertools.repeat(first)))


def _are_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(map(operator.is_, some, others))


def _is_plain(cls: type, value: Any) -> bool:
    """Tell whether an object is its attributes and nothing else, and pickle says so."""
    set_state = getattr(cls, "__setstate__", None)
    if (
        cls.__reduce_ex__ is not object.__reduce_ex__
        or cls.__reduce__ is not object.__reduce__
        or cls.__getstate__ is not object.__getstate__
        or not (set_state is None or only_brings_up_to_date(set_state))
    ):
        return False
    make, arguments, state, items, pairs = value.__reduce_ex__(4)
    attributes = getattr(value, "__dict__", None)
    return (make, arguments, items, pairs) == (NEW_OBJECT, (cls,), None, None) and (
        state == attributes if state is None else state is attributes
    )


def _stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    form = _FORM(arrays[0])
    shape, dtype, is_plain = form
    if dtype.hasobject or not is_plain or {*map(_FORM, arrays)} != {form}:
        raise DifferError
    for array in arrays:
        # Others may look at the memory of one that does not own it.
        if array.base is not None and sys.getrefcount(array.base) > _ONLY_ITS_VIEW:
            raise DifferError
    return np.concatenate(arrays).reshape(len(arrays), *shape) if shape else np.array(arrays)


def _states(bits: Sequence[Any]) -> np.ndarray:
    """Return the states of generators: shape (N, 6), uint64."""
    rows = []
    for bit in bits:
        state = bit.state
        numbers = state["state"]
        now, step = numbers["state"], numbers["inc"]
        rows.append(
            (
                now & _WORD,
                now >> 64,
                step & _WORD,
                step >> 64,
                state["has_uint32"],
                state["uinteger"],
            )
        )
    return np.array(rows, np.uint64)


def _generator(seeds: Any, numbers: Sequence[int]) -> np.random.Generator:
    bits = np.random.PCG64(seeds)
    low, high, step_low, step_high, has_half, half = numbers
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": high << 64 | low, "inc": step_high << 64 | step_low},
        "has_uint32": has_half,
        "uinteger": half,
    }
    return np.random.Generator(bits)
