"""GaussianMLPPolicy: continuous actions, normally distributed around a mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Actor
from garage_like.np.actors import AdaptiveGaussianActor, GaussianActor
from garage_like.tf.distributions import DiagonalGaussian
from garage_like.tf.modules.initializers import Initializer, as_array, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.policies.spaces import check_box
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


class GaussianMLPPolicy(StochasticPolicy):
    """Draw actions around the mean that a multi-layer perceptron gives.

    The standard deviations are the same for all observations, or given by a network, too. Actions
    are not clipped: the environment's bounds are the environment's affair.

    Args:
        env_spec: its action space is a Box.
        output_nonlinearity: applied to the mean.
        learn_std: whether the standard deviations are parameters.
        init_std: what they start at.
        min_std: what they cannot fall below; None for no limit.
        max_std: what they cannot rise above; None for no limit.
        std_parameterization: the parameter p gives exp(p) or softplus(p) = log(1 + exp(p)).
        adaptive_std: whether a network gives the parameter of each observation, less what init_std
            is.
        std_share_network: whether that is the network that gives the mean.
        std_hidden_sizes: units of each hidden layer of one of its own.
        std_hidden_nonlinearity: of its hidden layers.
        std_output_nonlinearity: applied to what it gives.

    Raises:
        ValueError: if the action space is no Box, or the standard deviations are contradictory.
    """

    EXPLAINED_BY = (MLP,)

    std_mlp: MLP | None = None
    _adaptive_std = False  # of older snapshots

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
        min_std: float | None = 1e-6,
        max_std: float | None = None,
        std_parameterization: Literal["exp", "softplus"] = "exp",
        layer_normalization: bool = False,
        name: str | None = None,
        adaptive_std: bool = False,
        std_share_network: bool = False,
        std_hidden_sizes: Sequence[int] = (32, 32),
        std_hidden_nonlinearity: Nonlinearity = tf.tanh,
        std_output_nonlinearity: Nonlinearity = None,
    ) -> None:
        check_box("GaussianMLPPolicy", env_spec)
        if std_parameterization not in ("exp", "softplus"):
            raise ValueError(
                "GaussianMLPPolicy: std_parameterization must be 'exp' or 'softplus', "
                f"got {std_parameterization!r}"
            )
        least = math.ulp(0.0) if min_std is None else min_std
        if not 0.0 < least <= init_std <= (math.inf if max_std is None else max_std):
            raise ValueError(
                "GaussianMLPPolicy: expected 0 < min_std <= init_std <= max_std, "
                f"got {min_std!r}, {init_std!r}, {max_std!r}"
            )
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(
            env_spec.observation_dim,
            env_spec.action_dim * (1 + (adaptive_std and std_share_network)),
            *hidden,
            *output,
        )
        self._softplus = std_parameterization == "softplus"
        self._min_log_std = -math.inf if min_std is None else math.log(min_std)
        self._max_log_std = math.inf if max_std is None else math.log(max_std)
        start = math.log(math.expm1(init_std)) if self._softplus else math.log(init_std)
        self._adaptive_std = adaptive_std
        if adaptive_std:
            self._std_start = start
            if not std_share_network:
                sizes, nonlinearity = std_hidden_sizes, std_hidden_nonlinearity
                self.std_mlp = MLP(
                    env_spec.observation_dim,
                    env_spec.action_dim,
                    sizes,
                    nonlinearity,
                    output_nonlinearity=std_output_nonlinearity,
                )
            return
        self.std_parameter = tf.Variable(
            np.full(env_spec.action_dim, start, np.float32), trainable=learn_std, name="std"
        )

    @property
    def log_std(self) -> tf.Tensor:
        """Logarithm of the standard deviations of all observations, shape (K,), within limits.

        Raises:
            AttributeError: if a network gives those of each observation.
        """
        return self._log_of(self.std_parameter)

    def _log_of(self, parameter: tf.Tensor) -> tf.Tensor:
        if self._softplus:
            parameter = tf.math.log(tf.nn.softplus(parameter))
        return tf.clip_by_value(parameter, self._min_log_std, self._max_log_std)

    def _outputs(self, observations: tf.Tensor) -> tf.Tensor:
        """Return the mean and the logarithm of its deviation side by side, shape (N, 2 K)."""
        outputs = self.mlp(observations)
        if self.std_mlp is not None:
            outputs = tf.concat([outputs, self.std_mlp(observations)], axis=1)
        mean, parameter = tf.split(outputs, 2, axis=1)
        return tf.concat([mean, self._log_of(self._std_start + parameter)], axis=1)

    def __call__(self, observations: tf.Tensor) -> tuple[DiagonalGaussian, dict[str, tf.Tensor]]:
        if self._adaptive_std:
            mean, log_std = tf.split(self._outputs(observations), 2, axis=1)
        else:
            mean, log_std = self.mlp(observations), self.log_std
        return DiagonalGaussian(mean, log_std), {"mean": mean, "log_std": log_std}

    def actor(self) -> Actor:
        """Return a NumPy actor on the current weights; its infos: mean, log_std, shape (N, K)."""
        space = self._env_spec.observation_space
        shape = self._env_spec.action_space.shape
        assert shape is not None
        if self._adaptive_std:
            return AdaptiveGaussianActor(TFNetwork(self._outputs), space, shape)
        network = self.mlp.to_numpy() or TFNetwork(self.mlp)
        return GaussianActor(network, as_array(self.log_std), space, shape)
