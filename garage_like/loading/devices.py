"""Which device torch's modules and optimizers are loaded onto."""

from __future__ import annotations

import sys
from typing import Any

from garage_like.snapshot.graph.walk import walk


def check_device(map_location: Any) -> Any:
    """Return a device of torch that values can lie on here; None if there is no torch.

    Raises:
        ValueError: if it is none, or there is no such device.
    """
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
    return device


def move(algo: Any, device: Any) -> None:
    """Move all modules of torch that an object reaches, and what optimizers keep for them.

    Args:
        algo: as it was built on the CPU.
        device: as `check_device` returns it.
    """
    torch = sys.modules.get("torch")
    if torch is None or device is None or device.type == "cpu":
        return
    reached = [value for _, value in walk({"algo": algo})]
    for module in reached:
        if isinstance(module, torch.nn.Module):
            module.to(device)
    for optimizer in reached:
        if isinstance(optimizer, torch.optim.Optimizer):
            optimizer.load_state_dict(optimizer.state_dict())  # goes where the parameters are
