"""A policy as users write them, around a Keras model. Golden snapshots name this class."""

from __future__ import annotations

from typing import Any

from garage_like.env_spec import EnvSpec

from garage_like.np.actors import CategoricalActor
from garage_like.tf.distributions import Categorical
from garage_like.tf.policies import StochasticPolicy
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.quiet_import import tf


class KerasPolicy(StochasticPolicy):
    """Choose with the probabilities that a Keras model gives."""

    def __init__(self, env_spec: EnvSpec) -> None:
        super().__init__(env_spec)
        layers = tf.keras.layers
        n_inputs, n_actions = int(env_spec.observation_space.n), int(env_spec.action_space.n)
        self.model = tf.keras.Sequential(
            [layers.Input((n_inputs,)), layers.Dense(4, "tanh"), layers.Dense(n_actions)]
        )

    def __call__(self, observations: Any) -> Any:
        return Categorical(self.model(observations)), {}

    def actor(self) -> Any:
        return CategoricalActor(TFNetwork(self.model), self.env_spec.observation_space)
