"""Slots of torch's optimizers that lie one after another in memory, pickled as one vector a name.

An Adam that moves twenty parameters has sixty of them, most of the tensors of a run; to pickle each
by itself takes as long as all networks do. In the snapshot's files they stand one by one, under
their own names. Imported only where torch is loaded already.
"""

from __future__ import annotations

import operator
import weakref
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.torch_arrays import is_tensor, tensor_state, view_of

Row = list[torch.Tensor]


class SlotRows:
    """The slots of an optimizer, by name: rows of tensors that lie one after another.

    Args:
        state: the optimizer's.
        rows: for each name, a slot of every parameter.

    Attributes:
        ids: of the objects that are not pickled as such.
        vectors: for each name, one vector over its row, and whether the slots are of their
            parameter's shape; else they are scalars.
    """

    def __init__(self, state: defaultdict[Any, dict[str, Any]], rows: dict[str, Row]) -> None:
        self._state = state
        self._parameters: list[torch.Tensor] = list(state)
        self._names = list(rows)
        self._slots = _slots_of(state)
        self._looks = _looks(self._slots)
        self.ids = {id(state), *map(id, self._slots)}
        self.vectors = {
            name: (_vector_over(row), row[0].shape == self._parameters[0].shape)
            for name, row in rows.items()
        }
        self._views = {name: _views(row) for name, row in rows.items()}

    def is_current(self, state: Any) -> bool:
        """Whether an optimizer's state is still made of the same tensors, which look the same."""
        return (
            state is self._state
            and len(state) == len(self._parameters)
            and all(map(operator.is_, state, self._parameters))
            and all(list(slots) == self._names for slots in state.values())
            and all(map(operator.is_, _slots_of(state), self._slots))
            and _looks(self._slots) == self._looks
        )

    def with_views(self) -> Iterator[tuple[torch.Tensor, list[View]]]:
        """Yield vectors, and what looks at the memory that each lies on."""
        for name, (vector, _) in self.vectors.items():
            yield vector, self._views[name]

    def reduce(self) -> tuple[Any, ...]:
        """Return how pickle saves them."""
        return _new_state, (), (self._parameters, self.vectors), None, None, fill_state


_found: weakref.WeakKeyDictionary[torch.optim.Optimizer, SlotRows | None]
_found = weakref.WeakKeyDictionary()
"""None: of an optimizer whose slots something else holds, too."""


def rows_of(optimizer: torch.optim.Optimizer) -> SlotRows | None:
    """Return an optimizer's slots if all of them lie in rows, and hold nothing but numbers."""
    known = _found.get(optimizer, _UNKNOWN)
    if known is None or (isinstance(known, SlotRows) and known.is_current(optimizer.state)):
        return known
    rows = _rows_in(optimizer.state)
    if rows is None:
        _found.pop(optimizer, None)
        return None
    found = _found[optimizer] = SlotRows(optimizer.state, rows)
    return found


_UNKNOWN = object()


def leave_as_it_is(value: Any) -> None:
    """Never again find rows that contain an object."""
    for optimizer, rows in list(_found.items()):
        if rows is not None and id(value) in rows.ids:
            _found[optimizer] = None


def _rows_in(state: Any) -> dict[str, Row] | None:
    if type(state) is not defaultdict or state.default_factory is not dict or len(state) < 2:
        return None
    slots = list(state.values())
    names = list(slots[0]) if type(slots[0]) is dict else []
    if not names or any(type(one) is not dict or list(one) != names for one in slots):
        return None
    rows = {name: [one[name] for one in slots] for name in names}
    parameters = list(state)
    return rows if all(_is_row(row, parameters) for row in rows.values()) else None


def _is_row(tensors: Sequence[Any], parameters: Sequence[torch.Tensor]) -> bool:
    """Tell whether `fill_state` would build just these tensors from one vector."""
    first = tensors[0]
    if not is_tensor(first) or not first.is_cpu or first.dtype.is_complex:
        return False
    memory, end = first.untyped_storage().data_ptr(), first.data_ptr()
    shapes = [parameter.shape for parameter in parameters]
    if first.shape != shapes[0]:
        shapes = [torch.Size()] * len(shapes)
    for tensor, shape in zip(tensors, shapes, strict=True):
        if (
            type(tensor) is not torch.Tensor
            or tensor.dtype is not first.dtype
            or tensor.shape != shape
            or not tensor.numel()
            or tensor.stride() != torch.empty(shape, device="meta").stride()
            or tensor.data_ptr() != end
            or tensor.untyped_storage().data_ptr() != memory
            or tensor.requires_grad
            or tensor.is_neg()
            or tensor_state(tensor)
        ):
            return False
        end += tensor.nbytes
    return True


def _slots_of(state: Any) -> list[Any]:
    return [slot for slots in state.values() for slot in slots.values()]


def _looks(slots: Sequence[torch.Tensor]) -> list[Any]:
    """Return what could be another though the tensors are the same objects."""
    return [
        [slot.data_ptr() for slot in slots],
        [slot.shape for slot in slots],
        [slot.stride() for slot in slots],
        [slot.dtype for slot in slots],
        [slot.requires_grad for slot in slots],
        [slot.grad for slot in slots],
        [len(slot.__dict__) for slot in slots],
    ]


def _vector_over(row: Row) -> torch.Tensor:
    first, count = row[0], sum(tensor.numel() for tensor in row)
    vector = torch.empty(0, dtype=first.dtype)
    return vector.set_(first.untyped_storage(), first.storage_offset(), (count,), (1,))


def _views(row: Row) -> list[View]:
    itemsize = row[0].element_size()
    return [
        view_of(slot, tuple(slot.shape), int(slot.storage_offset()) * itemsize, itemsize)
        for slot in row
    ]


def _new_state() -> defaultdict[Any, dict[str, Any]]:
    return defaultdict(dict)


def fill_state(
    state: defaultdict[Any, dict[str, Any]],
    saved: tuple[Sequence[torch.Tensor], dict[str, tuple[torch.Tensor, bool]]],
) -> None:
    """Give each parameter its slots: views of vectors.

    Args:
        state: of an optimizer, empty.
        saved: the parameters, and for each name the vector, and whether a slot has the shape of
            its parameter; else it is a scalar.
    """
    parameters, vectors = saved
    starts = dict.fromkeys(vectors, 0)
    for parameter in parameters:
        slots = state[parameter]
        for name, (vector, is_shaped) in vectors.items():
            shape = parameter.shape if is_shaped else torch.Size()
            start, count = starts[name], shape.numel()
            slots[name] = vector[start : start + count].view(shape)
            starts[name] = start + count
