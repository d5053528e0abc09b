"""torch: tensors, modules, optimizers, generators; what needs it loaded is in `torch_*`."""

from __future__ import annotations

import functools
import sys
import types
import weakref
from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.attributes import PartsFunction, attributes_of
from garage_like.snapshot.kinds.kind import (
    Kind,
    Memory,
    Pickling,
    Reducer,
    digest_of_bits,
    no_parts,
)

_OWN_MODULES = tuple(f"garage_like.snapshot.kinds.torch_{name}" for name in ("blocks", "slots"))


class TorchKind(Kind):
    """torch, on CPU and GPU."""

    name = "torch"
    modules = ("torch",)
    versions = ("torch",)

    def __init__(self) -> None:
        self._loaders: weakref.WeakSet[Any] = weakref.WeakSet()

    def claims(self, cls: type) -> bool:
        return (
            cls is defaultdict
            or cls is types.FunctionType
            or any(base.__module__ == "torch.utils.data.dataloader" for base in cls.__mro__)
            or _is(cls, "Tensor", "UntypedStorage", "Generator", "nn.Module", "optim.Optimizer")
            or _is(cls, "dtype", "device", "layout")
            or cls.__module__ in _OWN_MODULES
        )

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        if not self.is_loaded():
            return None
        from garage_like.snapshot.kinds import torch_loaders

        if torch_loaders.is_loading_class(cls):
            return self._reduce_loading
        return pickling.own(_pickling()).reducer(cls)

    def _reduce_loading(self, value: Any) -> Any:
        from garage_like.snapshot.kinds import torch_loaders

        if torch_loaders.keeps_workers(value):
            self._loaders.add(value)
        return torch_loaders.reduce_loading(value)

    def why_inexact(self) -> list[str]:
        if not self._loaders:
            return []
        return [
            "what the workers of a DataLoader with persistent_workers=True draw and keep begins"
            " anew; without it they are started in each epoch, and a resume is exact"
        ]

    def memory(self, value: Any) -> Memory | None:
        from garage_like.snapshot.kinds import torch_arrays

        torch = sys.modules["torch"]
        if not isinstance(value, torch.UntypedStorage) and not torch_arrays.is_tensor(value):
            return None
        storage = torch_arrays.storage_of(value)
        content = torch_arrays.array_of(storage)
        return Memory(storage, content, torch_arrays.rebuild_view_of_storage)

    def is_named(self, cls: type) -> bool:
        return _is(cls, "Tensor")

    def gradient(self, value: Any) -> Any:
        return value.grad if value.is_leaf else None

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        if _is(cls, "jit.ScriptModule"):
            from garage_like.snapshot.kinds import torch_scripts

            return torch_scripts.script_parts
        if _is(cls, "nn.Module"):
            return attributes_of
        if not _is(cls, "Tensor", "Generator", "optim.Optimizer"):
            return None
        from garage_like.snapshot.kinds import torch_arrays, torch_modules

        if _is(cls, "Tensor"):
            return torch_arrays.tensor_parts
        if _is(cls, "Generator"):
            return torch_modules.generator_parts if as_pickled else no_parts
        return torch_modules.optimizer_parts

    def digest(self, value: Any) -> str | None:
        if _is(type(value), "Tensor"):
            from garage_like.snapshot.kinds.torch_arrays import tensor_bytes

            needs = " requires_grad" if value.requires_grad else ""
            digest = digest_of_bits(tensor_bytes(value))
            return f"{value.dtype}{tuple(value.shape)}{needs}:{digest}"
        return str(value) if _is(type(value), "dtype", "device", "layout") else None

    def rng_state(self) -> dict[str, Any]:
        torch = sys.modules["torch"]
        state = {"torch": torch.get_rng_state()}
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            state["torch_cuda"] = torch.cuda.get_rng_state_all()
        return state

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        if "torch" not in state:
            return
        import torch

        torch.set_rng_state(state["torch"])
        if "torch_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["torch_cuda"])

    def is_generator(self, cls: type) -> bool:
        return _is(cls, "Generator")

    def generator_state(self, generator: Any) -> Any:
        return generator.get_state().cpu().numpy()

    def fingerprint(self) -> dict[str, Any]:
        torch = sys.modules["torch"]
        return {
            "threads": torch.get_num_threads(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "matmul_precision": torch.get_float32_matmul_precision(),
            "default_dtype": str(torch.get_default_dtype()),
        }

    def settings(self) -> dict[str, Any]:
        return {"threads": sys.modules["torch"].get_num_threads()}

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        import torch

        torch.set_num_threads(settings["threads"])

    def device(self, map_location: Any) -> Any:
        try:
            import torch
        except ModuleNotFoundError:
            return None  # nothing that could lie anywhere

        try:
            device = torch.device(map_location)
        except (RuntimeError, TypeError) as error:
            why = str(error).partition("\n")[0]
            raise ValueError(
                f"map_location must be a device of torch such as 'cpu' or 'cuda:0', got"
                f" {map_location!r}: {why}"
            ) from None
        if device.type == "meta":
            raise ValueError("map_location='meta' holds no values; expected 'cpu' or 'cuda:0', say")
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            why = str(error).partition("\n")[0]
            raise ValueError(
                f"map_location={map_location!r}: there is no such device here ({why});"
                " map_location='cpu' loads what was saved on any device"
            ) from None
        return device if device.type != "cpu" else None

    def move(self, objects: Iterable[Any], device: Any) -> None:
        torch = sys.modules["torch"]
        reached = list(objects)
        for module in reached:
            if isinstance(module, torch.nn.Module):
                module.to(device)
        for optimizer in reached:
            if isinstance(optimizer, torch.optim.Optimizer):
                optimizer.load_state_dict(optimizer.state_dict())  # goes where the parameters are

    def takes_weights(self, value: Any) -> bool:
        return _is(type(value), "Tensor")

    def assign(self, value: Any, numbers: np.ndarray) -> None:
        torch = sys.modules["torch"]
        with torch.no_grad():
            value.copy_(torch.from_numpy(np.array(numbers, numbers.dtype.newbyteorder("="))))


def _is(cls: type, *names: str) -> bool:
    """Tell whether a class is one of these of torch's, or derived from one; loads nothing."""
    torch = sys.modules.get("torch")
    return torch is not None and any(issubclass(cls, attrgetter(name)(torch)) for name in names)


@functools.cache
def _pickling() -> Any:
    from garage_like.snapshot.kinds.torch_pickling import TorchPickling

    return TorchPickling
