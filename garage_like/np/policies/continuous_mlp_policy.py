"""ContinuousMLPPolicy in NumPy: continuous actions without noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.np.policies.vector_policy import Nonlinearity, VectorPolicy


class ContinuousMLPPolicy(VectorPolicy):
    """Take the action that a multi-layer perceptron gives.

    Args:
        env_spec: its action space is a Box.

    Raises:
        ValueError: if the action space is no Box.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = np.tanh,
        name: str | None = None,
    ) -> None:
        space = env_spec.action_space
        if not isinstance(space, spaces.Box):
            raise ValueError(
                f"ContinuousMLPPolicy needs a Box action space, got {space!r}; for a Discrete one "
                "there is CategoricalMLPPolicy"
            )
        super().__init__(env_spec, hidden_sizes, hidden_nonlinearity)
        self._action_shape = space.shape

    def actor(self) -> DeterministicActor:
        space = self._env_spec.observation_space
        return DeterministicActor(self._network(), space, self._action_shape)
