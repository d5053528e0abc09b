"""Modules of TorchScript: their code as `torch.jit.save` writes it, their tensors as those of all.

Imported only where torch is loaded already.
"""

from __future__ import annotations

import io
from typing import Any

import torch

from garage_like.snapshot.kinds.attributes import Part


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
    return [*(("." + path, tensor) for path, tensor in tensors_of(module).items()), *states.items()]


def reduce_script(module: Any) -> Any:
    """Return how pickle saves a module of TorchScript; what only Python knows of it is lost."""
    code = io.BytesIO()
    torch.jit.save(module, code)
    return rebuild_script, (code.getvalue(), tensors_of(module))


def rebuild_script(code: bytes, tensors: dict[str, torch.Tensor]) -> Any:
    """Build a module of TorchScript on tensors that others may hold too, an optimizer say."""
    module = torch.jit.load(io.BytesIO(code), map_location="cpu")
    parts = dict(module.named_modules(remove_duplicate=False))
    for path, tensor in tensors.items():
        owner, _, name = path.rpartition(".")
        parts[owner]._c.setattr(name, tensor)
    return module
