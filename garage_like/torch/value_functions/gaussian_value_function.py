"""GaussianValueFunction: what value functions fitted by maximum likelihood have in common."""

from __future__ import annotations

import math

import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.torch.value_functions.value_function import ValueFunction


class GaussianValueFunction(ValueFunction):
    """Take returns as normally distributed around what `forward` gives.

    Args:
        learn_std: whether the standard deviation is a parameter.
        init_std: what it starts at.

    Raises:
        ValueError: if init_std is not positive.
    """

    def __init__(self, env_spec: EnvSpec, *, learn_std: bool, init_std: float) -> None:
        if not init_std > 0.0:
            raise ValueError(f"{type(self).__name__}: init_std must be positive, got {init_std!r}")
        super().__init__(env_spec)
        log_std = torch.tensor(math.log(init_std))
        self.log_std: torch.Tensor
        if learn_std:
            self.log_std = nn.Parameter(log_std)
        else:
            self.register_buffer("log_std", log_std)

    def compute_loss(self, obs: torch.Tensor, returns: torch.Tensor) -> torch.Tensor:
        """Compute the mean of -log N(G | V(s), sigma^2).

        Args:
            obs: shape (N, D), flat observations.
            returns: shape (N,).
        """
        z = (returns - self(obs)) * torch.exp(-self.log_std)
        return 0.5 * z.square().mean() + self.log_std + 0.5 * math.log(2.0 * math.pi)
