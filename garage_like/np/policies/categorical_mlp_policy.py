"""CategoricalMLPPolicy in NumPy: choose among finitely many actions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.policies.vector_policy import Nonlinearity, VectorPolicy


class CategoricalMLPPolicy(VectorPolicy):
    """Choose actions with the probabilities that a multi-layer perceptron gives them.

    Args:
        env_spec: its action space is Discrete.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = np.tanh,
        name: str | None = None,
    ) -> None:
        space = env_spec.action_space
        if not isinstance(space, spaces.Discrete) or space.start != 0:
            raise ValueError(
                "CategoricalMLPPolicy needs actions 0 to n - 1: a Discrete action space with "
                f"start=0, got {space!r}; for a Box there are GaussianMLPPolicy and "
                "ContinuousMLPPolicy"
            )
        super().__init__(env_spec, hidden_sizes, hidden_nonlinearity)

    def actor(self) -> CategoricalActor:
        """Return an actor on the current parameters; its infos: logits, shape (N, K)."""
        return CategoricalActor(self._network(), self._env_spec.observation_space)
