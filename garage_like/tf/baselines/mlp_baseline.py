"""MLPBaseline: what baselines that are multi-layer perceptrons have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.observations import flatten_observations
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.modules.module import Module
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class Optimizer(Protocol):
    """What fits a baseline: an OptimizerWrapper or an LBFGSOptimizer on it."""

    def minimize(self, loss: Callable[..., tf.Tensor], *tensors: Any) -> None:
        """Make the loss of tensors of S rows less."""


class MLPBaseline(Module):
    """Value observations by a multi-layer perceptron, fitted by gradient steps.

    A subclass implements `compute_loss`.

    Args:
        env_spec: of the environment whose observations are valued.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: function of a tensor; None for none.
        hidden_w_init: maps a shape (inputs, outputs) to weights.
        hidden_b_init: maps a shape (outputs,) to biases.
        output_nonlinearity: applied to the value.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity.
    """

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
        layer_normalization: bool = False,
    ) -> None:
        self._env_spec = env_spec
        self._optimizer: Optimizer | None = None
        self.mlp = MLP(
            env_spec.observation_dim,
            1,
            hidden_sizes,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_nonlinearity,
            output_w_init,
            output_b_init,
            layer_normalization,
        )

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N,), of flat observations, shape (N, D)."""
        return tf.squeeze(self.mlp(observations), -1)

    def compute_loss(self, observations: tf.Tensor, returns: tf.Tensor) -> tf.Tensor:
        """Compute how far values are from returns, a scalar.

        Args:
            observations: shape (N, D), flat.
            returns: shape (N,).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement compute_loss")

    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return values of observations, shape (S,), and of last_observations, shape (N,)."""
        everything = np.concatenate([episodes.observations, episodes.last_observations])
        values = self._values(self._flatten(everything)).numpy()
        return values[: episodes.num_steps], values[episodes.num_steps :]

    @traced
    def _values(self, observations: tf.Tensor) -> tf.Tensor:
        return self(observations)

    def fit(
        self, episodes: EpisodeBatch, returns: np.ndarray, optimizer: Optimizer | None = None
    ) -> None:
        """Move towards returns, shape (S,), by gradient steps.

        Args:
            episodes: whose observations were followed by the returns.
            returns: shape (S,).
            optimizer: takes the steps; None for an Adam of the baseline's own.
        """
        if optimizer is None:
            optimizer = self._optimizer = self._optimizer or default_optimizer(self)
        observations = self._flatten(episodes.observations)
        optimizer.minimize(self.compute_loss, observations, returns.astype(np.float32))

    def _flatten(self, observations: Any) -> np.ndarray:
        return flatten_observations(self._env_spec.observation_space, observations)


def default_optimizer(baseline: Module) -> OptimizerWrapper:
    """Return what fits a baseline where nothing else is asked for."""
    return OptimizerWrapper(
        (Adam, {"lr": 2.5e-4}), baseline, max_optimization_epochs=10, minibatch_size=64
    )
