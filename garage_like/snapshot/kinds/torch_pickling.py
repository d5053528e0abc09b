"""torch's objects within one pickle: storages once, tensors as views of them, slots in rows.

Imported only where torch is loaded already.
"""

from __future__ import annotations

import operator
import types
from collections import defaultdict
from typing import Any

import numpy as np
import torch

from garage_like.snapshot.kinds import (
    arrays,
    torch_arrays,
    torch_blocks,
    torch_compiled,
    torch_graphs,
    torch_modules,
    torch_scripts,
    torch_slots,
)
from garage_like.snapshot.kinds.kind import PickleAgainError, Pickling, Reducer


class TorchPickling:
    """The tensors of one pickle.

    Args:
        pickling: the pickle in the making.
    """

    def __init__(self, pickling: Pickling) -> None:
        self._memory = pickling.memory
        self._cpu = pickling.memory()
        self._announce = pickling.announce
        self._note_place = pickling.note_place
        self._slots_in_rows = pickling.slots_in_rows
        self._in_rows: set[int] = set()
        self._met: set[int] = set()
        self._known: torch_blocks.KnownTensors | None = None
        if pickling.kept is not None:
            known = torch_blocks.KnownTensors
            self._known = pickling.kept.setdefault(known, known())
        block = None if self._known is None else self._known.block()
        self._block = block if block is not None and block.take(self._cpu) else None
        self._numbers = {} if self._block is None else self._block.numbers
        self._met_in_block: set[int] = set()
        self._alone: dict[int, torch.Tensor] = {}

    def finish(self) -> None:
        """Settle what the next pickle may do at once, when all has been met."""
        if self._known is None:
            return
        if self._block is not None:
            self._block.note_views(self._cpu.views)
        if not self._known.settle(self._met_in_block, self._alone):
            raise PickleAgainError

    def reducer(self, cls: type) -> Reducer | None:
        """Return what reduces objects of a class; None: as pickle does by itself."""
        if issubclass(cls, torch.Tensor):
            return self._reduce_tensor
        if cls is torch.UntypedStorage:
            return self._reduce_storage
        if cls is torch.Generator:
            return torch_modules.reduce_generator
        if issubclass(cls, torch.optim.Optimizer):
            return self._reduce_optimizer
        if cls is defaultdict:
            return self._reduce_defaultdict
        if cls is types.FunctionType:
            return torch_compiled.reduce_compiled
        if cls is torch_slots.SlotRows:
            return self._reduce_rows
        if cls is torch_blocks.TensorBlock:
            return self._reduce_block
        if issubclass(cls, torch.jit.ScriptModule):
            return torch_scripts.reduce_script
        if torch_graphs.is_parametrized_class(cls):
            return torch_graphs.reduce_parametrized
        if issubclass(cls, torch.nn.Module) and torch_modules.pickles_its_attributes(cls):
            return torch_modules.reduce_module
        return None

    def _reduce_optimizer(self, optimizer: Any) -> Any:
        reduced = torch_modules.reduce_optimizer(optimizer)
        if not self._slots_in_rows or reduced is NotImplemented:
            return reduced
        rows = torch_slots.rows_of(optimizer)
        if rows is None or not self._met.isdisjoint(rows.ids):
            return reduced
        self._in_rows |= rows.ids
        make, arguments, state, *rest = reduced
        return make, arguments, {**state, "state": rows}, *rest

    def _reduce_rows(self, rows: torch_slots.SlotRows) -> Any:
        for vector, views in rows.with_views():
            storage = vector.untyped_storage()
            address = storage.data_ptr()
            holder, start = self._cpu.holder(address, storage.nbytes(), vector)
            inside = address - start
            if inside:
                views = [view._replace(start=view.start + inside) for view in views]
            self._cpu.views[id(holder)] += views
        return rows.reduce()

    def _meet(self, value: Any) -> None:
        """Note that an object is pickled as such; it must not be one of those in rows."""
        self._met.add(id(value))
        if id(value) in self._in_rows:
            torch_slots.leave_as_it_is(value)
            raise PickleAgainError

    def _reduce_defaultdict(self, value: Any) -> Any:
        self._meet(value)
        return NotImplemented

    def _reduce_block(self, block: torch_blocks.TensorBlock) -> Any:
        self._announce(block.views)
        return block.reduce()

    def _reduce_tensor(self, tensor: torch.Tensor) -> Any:
        self._meet(tensor)
        number = self._numbers.get(id(tensor))
        if number is not None:
            self._met_in_block.add(number)
            self._note_place(tensor)
            reduced = operator.getitem, (self._block, number)
            gradient = tensor.grad if tensor.is_leaf else None
            if gradient is None:
                return reduced
            return *reduced, {"grad": gradient}, None, None, torch_arrays.set_tensor_state
        if not torch_arrays.is_tensor(tensor):
            return NotImplemented
        storage, offset = tensor.untyped_storage(), int(tensor.storage_offset())
        nbytes, shape = storage.nbytes(), tuple(tensor.shape)
        if not nbytes:
            return torch_arrays.reduce_tensor(tensor, storage, offset, shape)
        is_cpu = tensor.is_cpu
        memory = self._cpu if is_cpu else self._memory(str(tensor.device))
        address, itemsize = storage.data_ptr(), tensor.element_size()
        holder, start = memory.holder(address, nbytes, tensor if is_cpu else storage)
        inside = address - start
        views = memory.views[id(holder)]
        views.append(torch_arrays.view_of(tensor, shape, inside + offset * itemsize, itemsize))
        if holder is tensor:
            self._announce(views)
            if self._known is not None and torch_blocks.may_join(tensor, storage):
                self._alone[id(tensor)] = tensor
            return torch_arrays.reduce_owner(tensor, storage, offset, shape)
        if isinstance(holder, np.ndarray):
            holder = arrays.memory_of(holder)[inside : inside + nbytes]
        elif inside % itemsize:
            whole = torch_arrays.array_of(torch_arrays.storage_of(holder))
            holder = whole[inside : inside + nbytes]
        else:
            offset += inside // itemsize
        return torch_arrays.reduce_tensor(tensor, holder, offset, shape)

    def _reduce_storage(self, storage: torch.UntypedStorage) -> Any:
        device = str(storage.device)
        memory = self._memory(device)
        views = memory.views.get(id(storage))
        if views is not None or storage.nbytes() == 0:
            self._announce(views or [])
            return torch_arrays.reduce_storage(storage, device)
        holder, start = memory.holder(storage.data_ptr(), storage.nbytes(), storage)
        if holder is storage:
            return torch_arrays.reduce_storage(storage, device)
        inside = storage.data_ptr() - start
        if not isinstance(holder, np.ndarray):
            whole = torch_arrays.storage_of(holder)
            if whole is storage:
                return torch_arrays.storage_of, (holder,)
            holder = torch_arrays.array_of(whole)
        part = arrays.memory_of(holder)[inside : inside + storage.nbytes()]
        return torch_arrays.storage_of, (part,)
