"""DiscreteQFArgmaxPolicy: the action that a Q-function values most."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.torch.policies.policy import Policy, TorchNetwork


class DiscreteQFArgmaxPolicy(Policy):
    """Take the best action by a Q-function, which it shares with whoever trains it.

    Args:
        qf: maps flat observations, shape (N, D), to values, shape (N, K).
        env_spec: its action space is Discrete.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0.
    """

    def __init__(self, qf: Any, env_spec: EnvSpec, name: str | None = None) -> None:
        check_discrete("DiscreteQFArgmaxPolicy", env_spec)
        super().__init__(env_spec)
        self.qf = qf

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return actions, shape (N,), for flat observations, shape (N, D)."""
        actions: torch.Tensor = self.qf(observations).argmax(dim=1)
        return actions

    def actor(self) -> DeterministicActor:
        network = self.qf.to_numpy() or TorchNetwork(self.qf)
        return DeterministicActor(network, self._env_spec.observation_space, None)


def check_discrete(owner: str, env_spec: EnvSpec) -> None:
    """Raise ValueError unless actions are 0 to n - 1."""
    space = env_spec.action_space
    if not isinstance(space, spaces.Discrete) or space.start != 0:
        raise ValueError(
            f"{owner} needs actions 0 to n - 1: a Discrete action space with start=0, got {space!r}"
        )
