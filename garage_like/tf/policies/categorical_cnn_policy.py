"""CategoricalCNNPolicy: choose among finitely many actions by looking at an image."""

from __future__ import annotations

from typing import Unpack

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.convolutions import ImageFormat
from garage_like.tf.distributions import Categorical
from garage_like.tf.modules.cnn import CNN, CNNOptions
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


class CategoricalCNNPolicy(StochasticPolicy):
    """Choose actions with the probabilities that convolutions give them.

    Args:
        env_spec: its observations are images, its action space is Discrete.

    Raises:
        ValueError: if the spaces are others, or the convolutions contradict each other.
    """

    EXPLAINED_BY = (CNN,)

    def __init__(
        self,
        env_spec: EnvSpec,
        image_format: ImageFormat = "NHWC",
        *,
        name: str | None = None,
        **options: Unpack[CNNOptions],
    ) -> None:
        check_discrete("CategoricalCNNPolicy", env_spec)
        super().__init__(env_spec)
        self.cnn = CNN(
            env_spec.observation_space,
            env_spec.action_dim,
            image_format=image_format,
            **options,
        )

    def __call__(self, observations: tf.Tensor) -> tuple[Categorical, dict[str, tf.Tensor]]:
        return Categorical(self.cnn(observations)), {}

    def actor(self) -> CategoricalActor:
        """Return an actor on the current weights; its infos: logits, shape (N, K)."""
        return CategoricalActor(TFNetwork(self.cnn), self._env_spec.observation_space)
