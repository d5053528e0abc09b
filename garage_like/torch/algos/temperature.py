"""Temperature: how much entropy is worth, learned or fixed."""

from __future__ import annotations

import math

import torch
from torch import nn


class Temperature(nn.Module):
    """Hold the logarithm of alpha, for one task or several.

    Args:
        log_alpha: at the start.
        num_tasks: temperatures.
        learned: whether it is a parameter.
    """

    def __init__(self, log_alpha: float = 0.0, num_tasks: int = 1, learned: bool = True) -> None:
        super().__init__()
        values = torch.full((num_tasks,), float(log_alpha))
        self.log_alpha: torch.Tensor
        if learned:
            self.log_alpha = nn.Parameter(values)
        else:
            self.register_buffer("log_alpha", values)

    def forward(self, tasks: torch.Tensor | None = None) -> torch.Tensor:
        """Return log alpha: shape (1,), or shape (B,) for tasks of shape (B,), int64."""
        return self.log_alpha if tasks is None else self.log_alpha[tasks]

    @classmethod
    def from_options(
        cls, owner: str, fixed_alpha: float | None, initial_log_entropy: float, num_tasks: int = 1
    ) -> Temperature:
        """Make a temperature as an algorithm's arguments ask for.

        Raises:
            ValueError: if the fixed one is not positive.
        """
        if fixed_alpha is None:
            return cls(initial_log_entropy, num_tasks)
        if not fixed_alpha > 0.0:
            raise ValueError(
                f"{owner}: fixed_alpha must be positive, or None to learn it; got {fixed_alpha!r}"
            )
        return cls(math.log(fixed_alpha), num_tasks, learned=False)
