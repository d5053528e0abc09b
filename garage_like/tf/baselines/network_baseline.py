"""NetworkBaseline: what baselines that are networks in TensorFlow have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.baselines.paths import fits_paths, predicts_paths
from garage_like.np.observations import flatten_observations
from garage_like.tf.modules.module import Module
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.described import described_optimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced

_EPSILON = 1e-8


class Optimizer(Protocol):
    """What fits a baseline: an OptimizerWrapper or an LBFGSOptimizer on it."""

    def minimize(self, loss: Callable[..., tf.Tensor], *tensors: Any) -> None:
        """Make the loss of tensors of S rows less."""


class NetworkBaseline(Module):
    """Value observations by a network, fitted by gradient steps.

    A subclass implements `outputs` and `compute_loss`.

    Args:
        env_spec: of the environment whose observations are valued.
        optimizer: a class of `garage_like.tf.optimizers` or of Keras, which fits the baseline; None
            for Adam, 10 passes in minibatches of 64.
        optimizer_args: its arguments, `learning_rate`, `max_optimization_epochs` and `batch_size`.
        normalize_inputs: shift and scale observations by what the last batch was like.
        normalize_outputs: the same of returns, so that the network gives numbers around 0.
    """

    # What observations and returns are shifted and scaled by, where they are.
    input_mean: tf.Variable | None = None
    input_std: tf.Variable | None = None
    output_mean: tf.Variable | None = None
    output_std: tf.Variable | None = None
    _described: tuple[Any, dict[str, Any]] = (None, {})

    def __init__(
        self,
        env_spec: EnvSpec,
        optimizer: Any = None,
        optimizer_args: Mapping[str, Any] | None = None,
        normalize_inputs: bool = False,
        normalize_outputs: bool = False,
    ) -> None:
        self._env_spec = env_spec
        self._optimizer: Optimizer | None = None
        self._described = (optimizer, dict(optimizer_args or {}))
        if normalize_inputs:
            self.input_mean, self.input_std = _statistics((env_spec.observation_dim,))
        if normalize_outputs:
            self.output_mean, self.output_std = _statistics(())

    @property
    def env_spec(self) -> EnvSpec:
        """The environment whose observations are valued."""
        return self._env_spec

    def clone_model(self, name: str) -> Self:
        """Return a copy that shares nothing with this one; garage's name for `clone`."""
        return self.clone(name)

    @property
    def recurrent(self) -> bool:
        """Whether values depend on what was observed before: they do not."""
        return False

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N,), of flat observations, shape (N, D)."""
        values = self.outputs(self.scaled(observations))[:, 0]
        if self.output_std is None:
            return values
        return values * self.output_std + self.output_mean

    def outputs(self, observations: tf.Tensor) -> tf.Tensor:
        """Return what the network gives for scaled observations, shape (N, M); column 0: values."""
        raise NotImplementedError(f"{type(self).__name__} must implement outputs")

    def scaled(self, observations: tf.Tensor) -> tf.Tensor:
        """Return observations, shape (N, D), as the network sees them."""
        if self.input_std is None:
            return observations
        return (observations - self.input_mean) / self.input_std

    def compute_loss(self, observations: tf.Tensor, returns: tf.Tensor) -> tf.Tensor:
        """Compute how far values are from returns, a scalar.

        Args:
            observations: shape (N, D), flat.
            returns: shape (N,).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement compute_loss")

    @predicts_paths
    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return values of observations, shape (S,), and of last_observations, shape (N,)."""
        everything = np.concatenate([episodes.observations, episodes.last_observations])
        values = self._values(self._flatten(everything)).numpy()
        return values[: episodes.num_steps], values[episodes.num_steps :]

    @traced
    def _values(self, observations: tf.Tensor) -> tf.Tensor:
        return self(observations)

    @fits_paths
    def fit(
        self, episodes: EpisodeBatch, returns: np.ndarray, optimizer: Optimizer | None = None
    ) -> None:
        """Move towards returns, shape (S,), by gradient steps.

        Args:
            episodes: whose observations were followed by the returns.
            returns: shape (S,).
            optimizer: takes the steps; None for one of the baseline's own.
        """
        if optimizer is None:
            optimizer = self._optimizer = self._optimizer or self.make_optimizer()
        observations, targets = self._flatten(episodes.observations), returns.astype(np.float32)
        if self.input_mean is not None and self.input_std is not None:
            self.input_mean.assign(observations.mean(axis=0))
            self.input_std.assign(observations.std(axis=0) + _EPSILON)
        if self.output_mean is not None and self.output_std is not None:
            self.output_mean.assign(targets.mean())
            self.output_std.assign(targets.std() + _EPSILON)
        self._minimize(optimizer, observations, targets)

    def _minimize(self, optimizer: Any, observations: np.ndarray, returns: np.ndarray) -> None:
        optimizer.minimize(self.compute_loss, observations, returns)

    def make_optimizer(self) -> Optimizer:
        """Return what fits the baseline where an algorithm has nothing else."""
        optimizer, options = self._described
        default = OptimizerWrapper(
            (Adam, {"lr": 2.5e-4}), self, max_optimization_epochs=10, minibatch_size=64
        )
        if optimizer is None and not options:
            return default
        made: Optimizer = described_optimizer(
            type(self).__name__, self, optimizer, options, default, None
        )
        return made

    def _flatten(self, observations: Any) -> np.ndarray:
        return flatten_observations(self._env_spec.observation_space, observations)


def _statistics(shape: tuple[int, ...]) -> tuple[tf.Variable, tf.Variable]:
    return (
        tf.Variable(np.zeros(shape, np.float32), trainable=False, name="mean"),
        tf.Variable(np.ones(shape, np.float32), trainable=False, name="std"),
    )
