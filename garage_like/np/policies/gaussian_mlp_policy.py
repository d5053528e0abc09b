"""GaussianMLPPolicy in NumPy: continuous actions, normally distributed around a mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import GaussianActor
from garage_like.np.policies.vector_policy import Nonlinearity, VectorPolicy


class GaussianMLPPolicy(VectorPolicy):
    """Draw actions around the mean that a multi-layer perceptron gives.

    The last parameters are the logarithms of the standard deviations.

    Args:
        env_spec: its action space is a Box.
        init_std: what the standard deviations start at.

    Raises:
        ValueError: if the action space is no Box, or init_std is not positive.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = np.tanh,
        init_std: float = 1.0,
        name: str | None = None,
    ) -> None:
        space = env_spec.action_space
        if not isinstance(space, spaces.Box):
            raise ValueError(
                f"GaussianMLPPolicy needs a Box action space, got {space!r}; for a Discrete one "
                "there is CategoricalMLPPolicy"
            )
        if not init_std > 0.0:
            raise ValueError(f"GaussianMLPPolicy: init_std must be positive, got {init_std!r}")
        super().__init__(env_spec, hidden_sizes, hidden_nonlinearity, env_spec.action_dim)
        self._action_shape = space.shape
        self._params[self._num_weights :] = np.log(init_std)

    def actor(self) -> GaussianActor:
        """Return an actor on the current parameters; its infos: mean, log_std, shape (N, K)."""
        log_std = self._params[self._num_weights :].copy()
        space = self._env_spec.observation_space
        return GaussianActor(self._network(), log_std, space, self._action_shape)
