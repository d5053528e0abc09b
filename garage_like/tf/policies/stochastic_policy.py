"""StochasticPolicy: a policy that learns from the probabilities of its actions."""

from __future__ import annotations

from typing import Any

from garage_like.tf.distributions import Distribution
from garage_like.tf.policies.policy import Policy
from garage_like.tf.quiet_import import tf


class StochasticPolicy(Policy):
    """Map observations to a distribution over actions.

    A subclass implements `__call__`, and may implement `actor`, which acts quicker.
    """

    def __call__(self, observations: tf.Tensor) -> tuple[Distribution, dict[str, Any]]:
        raise NotImplementedError(f"{type(self).__name__} must implement __call__")
