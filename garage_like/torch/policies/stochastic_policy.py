"""StochasticPolicy: a policy that learns from the probabilities of its actions."""

from __future__ import annotations

import torch
from torch.distributions import Distribution

from garage_like.torch.policies.policy import Policy


class StochasticPolicy(Policy):
    """Map observations to a distribution over actions.

    A subclass implements `forward`, and may implement `actor`, which acts quicker.
    """

    def forward(self, observations: torch.Tensor) -> tuple[Distribution, dict[str, torch.Tensor]]:
        """Return the distribution over actions, and infos, for flat observations, shape (N, D)."""
        raise NotImplementedError(f"{type(self).__name__} must implement forward")
