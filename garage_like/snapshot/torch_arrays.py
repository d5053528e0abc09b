"""torch tensors out of band: storages once, tensors as views of them, ties and identity kept.

Imported only where torch is loaded already.
"""

import ctypes
import pickle
from typing import Any

import numpy as np
import torch

from garage_like.snapshot.arrays import SAFETENSORS_DTYPES, View


def is_tensor(value: Any) -> bool:
    """Tell whether a value is a tensor that is saved here: dense, of no exotic subclass."""
    return (
        type(value) in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
        and value.layout == torch.strided
        and not value.is_quantized
        and value.device.type != "meta"
    )


def reduce_tensor(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Return how pickle saves a tensor: a view of its storage, plus gradient and attributes."""
    if tensor.requires_grad and not tensor.is_leaf:
        raise pickle.PicklingError(
            "a tensor that holds the graph of a computation cannot be saved; store value.detach()"
        )
    arguments = (
        type(tensor),
        tensor.untyped_storage(),
        tensor.dtype,
        tensor.storage_offset(),
        tuple(tensor.size()),
        tensor.stride(),
        tensor.requires_grad,
        (tensor.is_conj(), tensor.is_neg()),
    )
    state = dict(tensor.__dict__)
    if tensor.grad is not None:
        state["grad"] = tensor.grad
    return (rebuild_tensor, arguments, state, None, None, set_tensor_state)


def rebuild_tensor(
    cls: type[torch.Tensor],
    storage: torch.UntypedStorage,
    dtype: torch.dtype,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    conj_neg: tuple[bool, bool],
) -> torch.Tensor:
    """Build a tensor on a storage that others may share."""
    tensor = torch.empty(0, dtype=dtype, device=storage.device)
    tensor.set_(storage, offset, size, stride)
    if conj_neg[0]:
        tensor = torch._conj(tensor)
    if conj_neg[1]:
        tensor = torch._neg_view(tensor)
    if cls is torch.nn.Parameter:
        return torch.nn.Parameter(tensor, requires_grad=requires_grad)
    if cls is torch.nn.Buffer:
        return torch.nn.Buffer(tensor)
    return tensor.requires_grad_(requires_grad)


def set_tensor_state(tensor: torch.Tensor, state: dict[str, Any]) -> None:
    """Give a rebuilt tensor its gradient and its attributes back."""
    for name, value in state.items():
        setattr(tensor, name, value)


def reduce_storage(storage: torch.UntypedStorage) -> tuple[Any, ...]:
    """Return how pickle saves a storage: its bytes out of band, and the device it lay on."""
    return rebuild_storage, (pickle.PickleBuffer(storage_bytes(storage).data), str(storage.device))


def storage_bytes(storage: torch.UntypedStorage) -> np.ndarray:
    """Return the bytes of a storage, shape (nbytes,): a view on CPU, a copy from a device."""
    if storage.nbytes() == 0:
        return np.empty(0, np.uint8)
    if storage.device.type != "cpu":
        return np.frombuffer(bytes(storage.cpu()), np.uint8)
    memory = (ctypes.c_char * storage.nbytes()).from_address(storage.data_ptr())
    return np.frombuffer(memoryview(memory), np.uint8)


def tensor_bytes(tensor: torch.Tensor) -> bytes:
    """Return the bytes of a tensor's elements in C order."""
    flat = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def rebuild_storage(buffer: Any, device: str) -> torch.UntypedStorage:
    """Build a storage of torch's own alignment, on the device it was saved from if there is one."""
    content = np.frombuffer(buffer, np.uint8)
    storage = torch.UntypedStorage(len(content))
    if len(content):
        storage_bytes(storage)[:] = content
    target = torch.device(device)
    if target.type == "cuda" and torch.cuda.is_available():
        return (
            torch.empty(len(content), dtype=torch.uint8, device=target)
            .untyped_storage()
            .copy_(storage)
        )
    return storage


def view_of(tensor: torch.Tensor) -> View:
    """Describe where in its storage a tensor lies."""
    size = tensor.element_size()
    contiguous = tensor.is_contiguous()
    return View(
        owner=tensor,
        dtype=SAFETENSORS_DTYPES.get(str(tensor.dtype).removeprefix("torch.")),
        shape=tuple(tensor.shape),
        start=int(tensor.storage_offset()) * size,
        nbytes=tensor.numel() * size if contiguous else 0,
        contiguous=contiguous,
    )


def reduce_generator(generator: torch.Generator) -> tuple[Any, ...]:
    """Return how pickle saves a generator of torch: its device and its state."""
    return rebuild_generator, (str(generator.device), generator.get_state())


def rebuild_generator(device: str, state: torch.Tensor) -> torch.Generator:
    """Build a generator that goes on where the saved one stood."""
    generator = torch.Generator(device=device)
    generator.set_state(state)
    return generator
