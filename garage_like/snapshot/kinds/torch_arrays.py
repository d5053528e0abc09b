"""torch tensors out of band: storages once, tensors as views of them, ties and identity kept.

Imported only where torch is loaded already.
"""

from __future__ import annotations

import ctypes
import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from garage_like.snapshot.disk.dtypes import DTYPES
from garage_like.snapshot.kinds import torch_graphs
from garage_like.snapshot.kinds.arrays import View, axes_in_memory, rebuild_view
from garage_like.snapshot.kinds.attributes import Part, labelled
from garage_like.snapshot.kinds.devices import device_for

_BESIDE = ("float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
_TOLD = {
    getattr(torch, name): told
    for name, told in [
        *DTYPES.items(),
        ("complex64", "<c8"),
        ("complex128", "<c16"),
        *zip(_BESIDE, _BESIDE, strict=True),
    ]
    if hasattr(torch, name)
}
"""How `disk.dtypes.told_dtype` would tell torch's types."""
LOST_GRAPH = "by a graph"
"""What is saved of a tensor in place of whether it needs a gradient, if a computation made it."""
_IN_ORDER = tuple(range(64))


def is_tensor(value: Any) -> bool:
    """Tell whether a value is a tensor that is saved here: dense, of no exotic subclass."""
    return (
        (type(value) is torch.Tensor or type(value) is torch.nn.Parameter)
        and value.layout is torch.strided
        and not value.is_quantized
        and not value.is_nested
        and not value.is_meta
    )


def reduce_tensor(
    tensor: torch.Tensor, memory: Any, offset: int, shape: tuple[int, ...]
) -> tuple[Any, ...]:
    """Return how pickle saves a tensor: a view of memory, plus gradient, hooks and attributes.

    Args:
        tensor: of a kind that `is_tensor`.
        memory: what `storage_of` takes.
        offset: first element within it.
        shape: of the tensor.
    """
    return _reduce(tensor, rebuild_tensor, memory, offset, shape)


def reduce_owner(
    tensor: torch.Tensor, storage: torch.UntypedStorage, offset: int, shape: tuple[int, ...]
) -> tuple[Any, ...]:
    """Return how pickle saves the first tensor on a CPU storage, along with the storage.

    Most tensors have theirs for themselves: this is a third faster than `reduce_tensor`.
    """
    memory = pickle.PickleBuffer(_memory_of(storage))
    return _reduce(tensor, rebuild_owner, memory, offset, shape)


def _reduce(
    tensor: torch.Tensor,
    rebuild: Callable[..., Any],
    memory: Any,
    offset: int,
    shape: tuple[int, ...],
) -> tuple[Any, ...]:
    needs: bool | str = tensor.requires_grad
    if needs and not tensor.is_leaf:
        needs = LOST_GRAPH
    arguments: tuple[Any, ...] = (
        type(tensor),
        memory,
        tensor.dtype,
        offset,
        shape,
        tensor.stride(),
        needs,
    )
    if tensor.is_neg() or (tensor.is_complex() and tensor.is_conj()):
        arguments += (tensor.is_conj(), tensor.is_neg())
    state = tensor_state(tensor)
    if state:
        return rebuild, arguments, state, None, None, set_tensor_state
    return rebuild, arguments


def tensor_state(tensor: torch.Tensor) -> dict[str, Any]:
    """Return what a tensor holds besides its elements: attributes, gradient, hooks."""
    state = dict(tensor.__dict__)
    if tensor._backward_hooks:
        state["_backward_hooks"] = tensor._backward_hooks
    if tensor._post_accumulate_grad_hooks:
        state["_post_accumulate_grad_hooks"] = tensor._post_accumulate_grad_hooks
    if tensor.is_leaf and tensor.grad is not None:
        state["grad"] = tensor.grad
    return state


def rebuild_tensor(
    cls: type[torch.Tensor],
    memory: Any,
    dtype: torch.dtype,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool | str,
    is_conj: bool = False,
    is_neg: bool = False,
) -> torch.Tensor:
    """Build a tensor on memory that others may share."""
    storage = storage_of(memory)
    tensor = torch.empty(0, dtype=dtype, device=storage.device)
    tensor.set_(storage, offset, size, stride)
    if is_conj:
        tensor = torch._conj(tensor)
    if is_neg:
        tensor = torch._neg_view(tensor)
    if cls is torch.nn.Parameter:
        return torch.nn.Parameter(tensor, requires_grad=bool(requires_grad))
    if requires_grad == LOST_GRAPH:
        return torch_graphs.with_lost_graph(tensor)
    return tensor.requires_grad_() if requires_grad else tensor


def rebuild_owner(
    cls: type[torch.Tensor], buffer: Any, dtype: torch.dtype, *arguments: Any
) -> torch.Tensor:
    """Build a tensor, and the storage that it lies on."""
    return rebuild_tensor(cls, rebuild_storage(buffer, "cpu"), dtype, *arguments)


def set_tensor_state(tensor: torch.Tensor, state: dict[str, Any]) -> None:
    """Give a rebuilt tensor its gradient, hooks and attributes back."""
    for name, value in state.items():
        setattr(tensor, name, value)


def storage_of(memory: Any) -> torch.UntypedStorage:
    """Return the storage to build on: the one given, a tensor's, or one on an array's memory.

    Args:
        memory: a storage; a tensor; or an array of bytes, shape (nbytes,).
    """
    if isinstance(memory, torch.Tensor):
        return memory.untyped_storage()
    if isinstance(memory, np.ndarray):
        if not memory.flags.writeable:
            memory = memory.copy()  # torch knows no tensors that cannot be written to
        return torch.from_numpy(memory).untyped_storage()
    storage: torch.UntypedStorage = memory
    return storage


def rebuild_view_of_storage(storage: Any, *arguments: Any) -> np.ndarray:
    """Build an array that shares memory with a storage, or a tensor's."""
    return rebuild_view(array_of(storage_of(storage)), *arguments)


def array_of(storage: torch.UntypedStorage) -> np.ndarray:
    """Return the bytes of a CPU storage, shape (nbytes,): a view that keeps the storage alive."""
    return torch.empty(0, dtype=torch.uint8).set_(storage).numpy()


def reduce_storage(storage: torch.UntypedStorage, device: str) -> tuple[Any, ...]:
    """Return how pickle saves a storage: its bytes out of band, and the device it lies on.

    The bytes are valid while the storage lives.
    """
    if device != "cpu":
        memory = pickle.PickleBuffer(array_of(storage.cpu()).data)
    else:
        memory = pickle.PickleBuffer(_memory_of(storage))
    return rebuild_storage, (memory, device)


def _memory_of(storage: torch.UntypedStorage) -> Any:
    """Return the memory of a CPU storage; four times as fast as through a tensor."""
    nbytes = storage.nbytes()
    return _bytes_type(nbytes).from_address(storage.data_ptr()) if nbytes else b""


@functools.lru_cache(4096)
def _bytes_type(nbytes: int) -> Any:
    """Return ctypes' array of bytes; to make one takes longer than all else of a tensor."""
    return ctypes.c_ubyte * nbytes


def rebuild_storage(buffer: Any, device: str) -> torch.UntypedStorage:
    """Build a storage of torch's own alignment, on the GPU it was saved from if there is one."""
    content = np.frombuffer(buffer, np.uint8)
    storage = torch.UntypedStorage(len(content))
    if len(content):
        array_of(storage)[:] = content
    target = torch.device(device_for(device))
    if is_here(target):
        on_device = torch.empty(len(content), dtype=torch.uint8, device=target)
        return on_device.untyped_storage().copy_(storage)
    return storage


def is_here(device: torch.device) -> bool:
    """Tell whether this is a GPU that this machine has; elsewhere its content goes to the CPU."""
    return device.type == "cuda" and (device.index or 0) < torch.cuda.device_count()


def view_of(tensor: torch.Tensor, shape: tuple[int, ...], start: int, itemsize: int) -> View:
    """Describe a tensor within memory, `start` bytes into it."""
    if tensor.is_contiguous():
        axes: tuple[int, ...] | None = _IN_ORDER[: len(shape)]
    else:
        axes = axes_in_memory(shape, tensor.stride(), 1)
    kind, nbytes = _TOLD.get(tensor.dtype), tensor.numel() * itemsize
    return View(tensor, kind, shape, start, nbytes, axes)


def tensor_bytes(tensor: torch.Tensor) -> bytes:
    """Return the bytes of a tensor's elements in C order."""
    if tensor.is_nested:
        return b"".join(map(tensor_bytes, tensor.unbind()))
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    flat = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def tensor_parts(tensor: torch.Tensor) -> list[Part]:
    """Return what a tensor holds besides its elements."""
    return labelled(tensor_state(tensor))
