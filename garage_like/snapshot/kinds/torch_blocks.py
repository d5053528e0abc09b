"""Small tensors that are there capture after capture: pickled together, as one buffer.

What is asked of a small tensor takes a hundred times as long as copying it. Those that two captures
in a row have met as the same objects are asked all at once, and what the answers led to is used
again where they are the same. Imported only where torch is loaded already.
"""

from __future__ import annotations

import math
import operator
import pickle
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.memory import MemoryMap
from garage_like.snapshot.kinds.torch_arrays import rebuild_owner, view_of

_LARGEST = 16_384
"""Bytes; a larger tensor takes longer to copy than to ask."""
_FEWEST = 16
_MOST_MISSES = 3
_REAL = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
_DTYPES = {*_REAL, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}
_ATTRIBUTES = ("shape", "dtype", "requires_grad", "is_leaf")
_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_QUESTIONS: tuple[Callable[[torch.Tensor], Any], ...] = (
    *(type, torch.Tensor.data_ptr, torch.Tensor.stride, torch.Tensor.is_neg),
    *map(operator.attrgetter, _ATTRIBUTES + _HOOKS),
    lambda tensor: len(tensor.__dict__),
)


def may_join(tensor: torch.Tensor, storage: torch.UntypedStorage) -> bool:
    """Tell whether a tensor on the CPU that owns its storage may become one of a block."""
    nbytes = storage.nbytes()
    return (
        nbytes <= _LARGEST
        and storage.resizable()  # torch's own memory, which no array has looked at
        and tensor.dtype in _DTYPES
        and tensor.numel() * tensor.element_size() == nbytes
        and tensor.is_contiguous()
        and tensor.stride() == _strides(tuple(tensor.shape))
        and (tensor.is_leaf or not tensor.requires_grad)
        and not tensor.is_neg()
        and not tensor.__dict__
        and not tensor._backward_hooks
        and not tensor._post_accumulate_grad_hooks
    )


class TensorBlock:
    """Tensors with storages of their own, of which nothing but numbers and a gradient is saved.

    Args:
        tensors: of which each `may_join`.

    Attributes:
        tensors: in the order in which they lie in the buffer.
        numbers: their places there, by id.
        views: of the buffer: the tensors, at first; what else looks at one may be added.
    """

    def __init__(self, tensors: Iterable[torch.Tensor]) -> None:
        self.tensors = sorted(tensors, key=lambda t: (-t.element_size(), str(t.dtype)))
        self.numbers = {id(tensor): number for number, tensor in enumerate(self.tensors)}
        self.views: list[View] = []
        self._answers = self._ask()
        self._shown: list[View] = []
        flat: dict[torch.dtype, list[torch.Tensor]] = {}
        kinds: dict[tuple[Any, ...], int] = {}
        self._kind_of = []
        end = 0
        for tensor in self.tensors:
            shape = tuple(tensor.shape)
            kind = (type(tensor), tensor.dtype, shape, tensor.requires_grad)
            self._kind_of.append(kinds.setdefault(kind, len(kinds)))
            self._shown.append(view_of(tensor, shape, end, tensor.element_size()))
            flat.setdefault(tensor.dtype, []).append(tensor.detach().view(-1))
            end += tensor.nbytes
        self._kinds = tuple(kinds)
        self._memory = np.empty(end, np.uint8)
        self._copies, end = [], 0
        for dtype, parts in flat.items():
            nbytes = sum(part.nbytes for part in parts)
            target = torch.from_numpy(self._memory[end : end + nbytes]).view(dtype)
            self._copies.append((parts, target))
            end += nbytes
        places = sorted((t.data_ptr(), t.data_ptr() + t.nbytes, t) for t in self.tensors)
        self._starts = [start for start, _, _ in places]
        self._holders = [(end, tensor) for _, end, tensor in places]

    def _ask(self) -> list[list[Any]]:
        return [list(map(question, self.tensors)) for question in _QUESTIONS]

    def as_before(self) -> list[torch.Tensor]:
        """Return the tensors that still look as they did: all of them, as a rule."""
        answers = self._ask()
        if answers == self._answers:
            return self.tensors
        now, then = (list(zip(*asked, strict=True)) for asked in (answers, self._answers))
        return [t for number, t in enumerate(self.tensors) if now[number] == then[number]]

    def take(self, memory: MemoryMap) -> bool:
        """Copy the numbers, and say whose memory it is; False if somebody holds some already."""
        if not memory.hold(self._starts, self._holders):
            return False
        for parts, target in self._copies:
            torch.cat(parts, out=target)
        self.views = list(self._shown)
        return True

    def reduce(self) -> tuple[Any, ...]:
        """Return how pickle saves the block."""
        return rebuild_block, (pickle.PickleBuffer(self._memory.data), self._kinds, self._kind_of)

    def note_views(self, others: Mapping[int, list[View]]) -> None:
        """Take up what else looks at the tensors' memory, by the tensor's id."""
        for tensor, shown in zip(self.tensors, self._shown, strict=True):
            for view in others[id(tensor)]:
                self.views.append(view._replace(start=view.start + shown.start))


class KnownTensors:
    """What captures have met, one after the other: which tensors make a block.

    One that is not met again has the graph pickled anew, without it.
    """

    def __init__(self) -> None:
        self._block: TensorBlock | None = None
        self._joining: list[torch.Tensor] = []
        self._once: dict[int, torch.Tensor] = {}
        self._misses = 0

    def block(self) -> TensorBlock | None:
        """Return the tensors that may be pickled together, if there are enough."""
        known = [] if self._block is None else self._block.as_before()
        if self._block is None or self._joining or len(known) != len(self._block.tensors):
            together = [*known, *self._joining]
            self._joining = []
            self._block = TensorBlock(together) if len(together) >= _FEWEST else None
        return self._block

    def settle(self, met: set[int], alone: dict[int, torch.Tensor]) -> bool:
        """Take up what a pickle has met; False if it is no good, since some were not met.

        Args:
            met: the numbers, in the block, of those that were.
            alone: tensors that `may_join`, by id.
        """
        if self._block is not None and len(met) < len(self._block.tensors):
            self._misses += 1
            self._joining = [self._block.tensors[number] for number in sorted(met)]
            self._block = None
            if self._misses == _MOST_MISSES:
                self._joining = []  # they come and go
            return False
        if self._misses < _MOST_MISSES:
            self._joining = [tensor for key, tensor in alone.items() if key in self._once]
            self._once = alone
        return True


def rebuild_block(
    buffer: Any, kinds: tuple[tuple[Any, ...], ...], kind_of: list[int]
) -> list[torch.Tensor]:
    """Build tensors, each on memory of its own.

    Args:
        buffer: the numbers of all.
        kinds: class, type of the elements, shape, and whether it needs a gradient.
        kind_of: for each tensor, which of them it is.
    """
    content, tensors, end = np.frombuffer(buffer, np.uint8), [], 0
    for number in kind_of:
        cls, dtype, shape, needs = kinds[number]
        start, end = end, end + math.prod(shape) * dtype.itemsize
        tensors.append(
            rebuild_owner(cls, content[start:end], dtype, 0, shape, _strides(shape), needs)
        )
    return tensors


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
