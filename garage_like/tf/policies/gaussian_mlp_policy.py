"""GaussianMLPPolicy: continuous actions, normally distributed around a mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import GaussianActor
from garage_like.tf.distributions import DiagonalGaussian
from garage_like.tf.modules.initializers import Initializer, as_array, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.policies.spaces import check_box
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


class GaussianMLPPolicy(StochasticPolicy):
    """Draw actions around the mean that a multi-layer perceptron gives.

    The standard deviations do not depend on the observation. Actions are not clipped: the
    environment's bounds are the environment's affair.

    Args:
        env_spec: its action space is a Box.
        output_nonlinearity: applied to the mean.
        learn_std: whether the standard deviations are parameters.
        init_std: what they start at.
        min_std: what they cannot fall below.
        max_std: what they cannot rise above; None for no limit.
        std_parameterization: the parameter p gives exp(p) or softplus(p) = log(1 + exp(p)).

    Raises:
        ValueError: if the action space is no Box, or the standard deviations are contradictory.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = tf.tanh,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        learn_std: bool = True,
        init_std: float = 1.0,
        min_std: float = 1e-6,
        max_std: float | None = None,
        std_parameterization: Literal["exp", "softplus"] = "exp",
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        check_box("GaussianMLPPolicy", env_spec)
        if std_parameterization not in ("exp", "softplus"):
            raise ValueError(
                "GaussianMLPPolicy: std_parameterization must be 'exp' or 'softplus', "
                f"got {std_parameterization!r}"
            )
        if not 0.0 < min_std <= init_std <= (math.inf if max_std is None else max_std):
            raise ValueError(
                "GaussianMLPPolicy: expected 0 < min_std <= init_std <= max_std, "
                f"got {min_std!r}, {init_std!r}, {max_std!r}"
            )
        super().__init__(env_spec)
        self.mlp = MLP(
            env_spec.observation_dim,
            env_spec.action_dim,
            hidden_sizes,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_nonlinearity,
            output_w_init,
            output_b_init,
            layer_normalization,
        )
        self._softplus = std_parameterization == "softplus"
        self._min_log_std = math.log(min_std)
        self._max_log_std = math.inf if max_std is None else math.log(max_std)
        start = math.log(math.expm1(init_std)) if self._softplus else math.log(init_std)
        self.std_parameter = tf.Variable(
            np.full(env_spec.action_dim, start, np.float32), trainable=learn_std, name="std"
        )

    @property
    def log_std(self) -> tf.Tensor:
        """Logarithm of the standard deviations, shape (K,), within the limits."""
        log_std = self.std_parameter
        if self._softplus:
            log_std = tf.math.log(tf.nn.softplus(log_std))
        return tf.clip_by_value(log_std, self._min_log_std, self._max_log_std)

    def __call__(self, observations: tf.Tensor) -> tuple[DiagonalGaussian, dict[str, tf.Tensor]]:
        """Return the distribution over actions for flat observations, shape (N, D)."""
        mean = self.mlp(observations)
        log_std = self.log_std
        return DiagonalGaussian(mean, log_std), {"mean": mean, "log_std": log_std}

    def actor(self) -> GaussianActor:
        """Return a NumPy actor on the current weights; its infos: mean, log_std, shape (N, K)."""
        network = self.mlp.to_numpy() or TFNetwork(self.mlp)
        log_std = as_array(self.log_std)
        space = self._env_spec.observation_space
        shape = self._env_spec.action_space.shape
        assert shape is not None
        return GaussianActor(network, log_std, space, shape)
