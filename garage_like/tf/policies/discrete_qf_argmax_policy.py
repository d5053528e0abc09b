"""DiscreteQFArgmaxPolicy: the action that a Q-function values most."""

from __future__ import annotations

from typing import Any

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.tf.policies.policy import Policy, TFNetwork
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.quiet_import import tf


class DiscreteQFArgmaxPolicy(Policy):
    """Take the best action by a Q-function, which it shares with whoever trains it.

    Args:
        qf: maps flat observations, shape (N, D), to values, shape (N, K).
        env_spec: its action space is Discrete.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0.
    """

    def __init__(self, qf: Any, env_spec: EnvSpec, name: str | None = None) -> None:
        check_discrete("DiscreteQFArgmaxPolicy", env_spec)
        super().__init__(env_spec)
        self.qf = qf
        self._network = TFNetwork(qf)  # kept for its trace

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return actions, shape (N,), for flat observations, shape (N, D)."""
        return tf.argmax(self.qf(observations), 1)

    def actor(self) -> DeterministicActor:
        network = self.qf.to_numpy() if hasattr(self.qf, "to_numpy") else None
        return DeterministicActor(network or self._network, self._env_spec.observation_space, None)
