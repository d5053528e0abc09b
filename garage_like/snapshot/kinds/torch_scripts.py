"""Modules of TorchScript: their code as `torch.jit.save` writes it, their tensors as those of all.

Imported only where torch is loaded already.
"""

from __future__ import annotations

import io
from typing import Any

import torch

from garage_like.snapshot.kinds.attributes import Part

_OF_TORCH = {
    *vars(torch.nn.Module()),
    *("_actual_script_module", "_c", "_concrete_type", "_initializing", "_name"),
}
"""Attributes that `torch.jit.save` writes, or that are made again."""


def tensors_of(module: Any) -> dict[str, torch.Tensor]:
    """Return parameters and buffers by their paths."""
    found: dict[str, torch.Tensor] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        prefix = f"{path}." if path else ""
        for tensors in (part._parameters, part._buffers):
            found.update((prefix + name, tensor) for name, tensor in tensors.items())
    return {path: tensor for path, tensor in found.items() if tensor is not None}


def script_parts(module: Any) -> list[Part]:
    """Return what a module of TorchScript holds, and whether each of its parts trains."""
    states = {f".{path}.training": part.training for path, part in module.named_modules()}
    states |= {
        f".{path}.{name}": value
        for path, attributes in _of_python(module).items()
        for name, value in attributes.items()
    }
    return [*(("." + path, tensor) for path, tensor in tensors_of(module).items()), *states.items()]


def _of_python(module: Any) -> dict[str, dict[str, Any]]:
    """Return what only Python knows of a module and its parts: attributes set later."""
    found = {
        path: {
            name: value
            for name, value in vars(part).items()
            if name not in _OF_TORCH
            and not isinstance(value, torch._C.ScriptMethod)
            and getattr(value, "__self__", None) is not part  # a method that TorchScript ignores
        }
        for path, part in module.named_modules()
    }
    return {path: attributes for path, attributes in found.items() if attributes}


def reduce_script(module: Any) -> Any:
    """Return how pickle saves a module of TorchScript."""
    code = io.BytesIO()
    torch.jit.save(module, code)
    told = (code.getvalue(), tensors_of(module))
    return rebuild_script, told, _of_python(module) or None, None, None, set_of_python


def rebuild_script(code: bytes, tensors: dict[str, torch.Tensor]) -> Any:
    """Build a module of TorchScript on tensors that others may hold too, an optimizer say."""
    module = torch.jit.load(io.BytesIO(code), map_location="cpu")
    parts = dict(module.named_modules(remove_duplicate=False))
    for path, tensor in tensors.items():
        owner, _, name = path.rpartition(".")
        parts[owner]._c.setattr(name, tensor)
    return module


def set_of_python(module: Any, state: dict[str, dict[str, Any]]) -> None:
    """Put back what only Python knows of a module and its parts."""
    parts: dict[str, Any] = dict(module.named_modules())
    for path, attributes in state.items():
        vars(parts[path]).update(attributes)
