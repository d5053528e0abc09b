"""GaussianBaseline: what baselines that are fitted by maximum likelihood have in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.tf.baselines.network_baseline import NetworkBaseline, Optimizer
from garage_like.tf.distributions import DiagonalGaussian
from garage_like.tf.optimizers.penalty_lbfgs_optimizer import PenaltyLBFGSOptimizer
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class GaussianBaseline(NetworkBaseline):
    """Take returns as normally distributed around a network's value.

    A subclass implements `outputs`: column 0 has values, and, with `adaptive_std`, column 1 what is
    added to the logarithm of the standard deviation.

    Args:
        learn_std: whether the standard deviation is a parameter.
        init_std: what it starts at.
        adaptive_std: whether it depends on the observation.
        use_trust_region: keep each fit close to the last one, in the sense of KL.
        max_kl_step: how close, in nats.
        **options: arguments of NetworkBaseline.

    Raises:
        ValueError: if init_std is not positive, or a trust region is asked for with an optimizer
            that has none.
    """

    _max_kl_step: float | None = None
    _adaptive_std = False

    def __init__(
        self,
        env_spec: EnvSpec,
        *,
        learn_std: bool,
        init_std: float,
        adaptive_std: bool,
        use_trust_region: bool,
        max_kl_step: float,
        optimizer: Any,
        **options: Any,
    ) -> None:
        owner = type(self).__name__
        if not init_std > 0.0:
            raise ValueError(f"{owner}: init_std must be positive, got {init_std!r}")
        if use_trust_region and optimizer not in (None, PenaltyLBFGSOptimizer):
            raise ValueError(
                f"{owner}: use_trust_region needs a PenaltyLBFGSOptimizer, got {optimizer!r}; leave"
                " optimizer out"
            )
        if use_trust_region:
            optimizer = PenaltyLBFGSOptimizer
            self._max_kl_step = max_kl_step
        super().__init__(env_spec, optimizer, **options)
        self._adaptive_std = adaptive_std
        self.log_std = tf.Variable(
            np.float32(math.log(init_std)), trainable=learn_std and not adaptive_std, name="log_std"
        )

    def make_optimizer(self) -> Optimizer:
        if self._max_kl_step is None:
            return super().make_optimizer()
        options = {"max_constraint_value": self._max_kl_step, **self._described[1]}
        made: Optimizer = PenaltyLBFGSOptimizer(self, **options)
        return made

    def _distribution(self, observations: tf.Tensor) -> DiagonalGaussian:
        """Return the distribution of scaled returns, each a vector of one number."""
        outputs = self.outputs(self.scaled(observations))
        log_std = self.log_std + (outputs[:, 1:] if self._adaptive_std else 0.0)
        return DiagonalGaussian(outputs[:, :1], log_std)

    def compute_loss(self, observations: tf.Tensor, returns: tf.Tensor) -> tf.Tensor:
        """Compute the mean of -log N(G | V(s), sigma^2), of returns in the network's units.

        Args:
            observations: shape (N, D), flat.
            returns: shape (N,).
        """
        if self.output_std is not None:
            returns = (returns - self.output_mean) / self.output_std
        if self._adaptive_std:
            return -tf.reduce_mean(self._distribution(observations).log_prob(returns[:, None]))
        values = self.outputs(self.scaled(observations))[:, 0]
        z = (returns - values) * tf.exp(-self.log_std)
        constant = 0.5 * math.log(2.0 * math.pi)
        return 0.5 * tf.reduce_mean(tf.square(z)) + self.log_std + constant

    def _minimize(self, optimizer: Any, observations: np.ndarray, returns: np.ndarray) -> None:
        if isinstance(optimizer, PenaltyLBFGSOptimizer):
            old = self._old(observations)
            optimizer.minimize_within(self._loss_and_kl, observations, returns, *old)
        else:
            super()._minimize(optimizer, observations, returns)

    @traced
    def _old(self, observations: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        distribution = self._distribution(observations)
        return distribution.mean, distribution.log_std

    def _loss_and_kl(
        self, observations: tf.Tensor, returns: tf.Tensor, mean: tf.Tensor, log_std: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        old, new = DiagonalGaussian(mean, log_std), self._distribution(observations)
        return self.compute_loss(observations, returns), tf.reduce_mean(old.kl_divergence(new))
