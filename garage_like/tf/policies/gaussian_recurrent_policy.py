"""Gaussian policies on recurrent cells: continuous actions around a mean, with a memory."""

from __future__ import annotations

import math

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import GaussianActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.np.recurrent_inputs import RecurrentInputs
from garage_like.tf.distributions import DiagonalGaussian
from garage_like.tf.modules.gru import GRU
from garage_like.tf.modules.initializers import Initializer, as_array, xavier_uniform, zeros
from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.policies.recurrent_policy import RecurrentPolicy
from garage_like.tf.policies.spaces import check_box
from garage_like.tf.quiet_import import tf


class GaussianRecurrentPolicy(RecurrentPolicy):
    """Draw actions around the mean that a recurrent network gives.

    The standard deviations do not depend on observations. Actions are not clipped: the
    environment's bounds are the environment's affair.

    Args:
        env_spec: its action space is a Box.
        learn_std: whether the standard deviations are parameters.
        init_std: what they start at.

    Raises:
        ValueError: if the action space is no Box, hidden_dim is no positive integer, or init_std
            is not positive.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = xavier_uniform,
        recurrent_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        state_include_action: bool = True,
        learn_std: bool = True,
        init_std: float = 1.0,
        name: str | None = None,
    ) -> None:
        if not init_std > 0.0:
            raise ValueError(f"{type(self).__name__}: init_std must be positive, got {init_std!r}")
        hidden = (hidden_dim, hidden_w_init, recurrent_w_init, hidden_b_init)
        super().__init__(env_spec, *hidden, output_w_init, output_b_init, state_include_action)
        self.log_std = tf.Variable(
            np.full(env_spec.action_dim, math.log(init_std), np.float32),
            trainable=learn_std,
            name="log_std",
        )

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        check_box(type(self).__name__, env_spec)

    def __call__(self, inputs: RecurrentInputs) -> tuple[DiagonalGaussian, dict[str, tf.Tensor]]:
        """Return the distribution over actions at each step of `inputs(episodes)`."""
        mean = self._outputs(inputs)
        return DiagonalGaussian(mean, self.log_std), {"mean": mean, "log_std": self.log_std}

    def actor(self) -> RecurrentActor:
        """Return a NumPy actor on the current weights; its infos: mean, log_std, shape (N, K)."""
        network, space = self._network(), self._env_spec.observation_space
        shape = self._env_spec.action_space.shape
        assert shape is not None
        return RecurrentActor(GaussianActor(network, as_array(self.log_std), space, shape), network)


class GaussianGRUPolicy(GaussianRecurrentPolicy):
    """Draw actions around the mean that a gated recurrent unit gives.

    Its arguments are those of GaussianRecurrentPolicy.
    """

    cell_class = GRU


class GaussianLSTMPolicy(GaussianRecurrentPolicy):
    """Draw actions around the mean that a long short-term memory gives.

    Its arguments are those of GaussianRecurrentPolicy.
    """

    cell_class = LSTM
