"""Which device torch's modules are moved to, as garage's programs choose it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

_chosen: list[torch.device] = []  # of the process, as torch's own default device is


def set_gpu_mode(mode: bool, gpu_id: int = 0) -> None:
    """Choose what `global_device` returns: a GPU, or the CPU.

    Args:
        mode: whether it is a GPU.
        gpu_id: which one.
    """
    _chosen[:] = [torch.device(f"cuda:{gpu_id}" if mode else "cpu")]


def prefer_gpu() -> None:
    """Choose the first GPU if there is one, else the CPU."""
    set_gpu_mode(torch.cuda.is_available())


def global_device() -> torch.device:
    """Return the device that was chosen; the CPU if none was."""
    return _chosen[0] if _chosen else torch.device("cpu")


class Movable:
    """Move what an algorithm trains to a device."""

    def to(self, device: Any = None) -> None:
        """Move all networks, and what optimizers keep for them.

        Args:
            device: where to; None for `global_device()`.
        """
        place = global_device() if device is None else torch.device(device)
        reached = list(_reached(vars(self), set()))
        for module in reached:
            if isinstance(module, nn.Module):
                module.to(place)
        for optimizer in reached:
            if isinstance(optimizer, torch.optim.Optimizer):
                optimizer.load_state_dict(optimizer.state_dict())  # goes where the parameters are


def _reached(value: Any, seen: set[int]) -> Iterator[Any]:
    """Yield modules and optimizers in a value, its items, and its attributes if it is of ours."""
    if id(value) in seen or isinstance(value, str | bytes | torch.Tensor):
        return
    seen.add(id(value))
    if isinstance(value, nn.Module | torch.optim.Optimizer):
        yield value
    if isinstance(value, Mapping):
        inside: list[Any] = list(value.values())
    elif isinstance(value, list | tuple):
        inside = list(value)
    elif type(value).__module__.startswith("garage_like."):
        inside = list(getattr(value, "__dict__", {}).values())
    else:
        return
    for item in inside:
        yield from _reached(item, seen)
