"""CategoricalCNNPolicy: choose among finitely many actions by looking at an image."""

from __future__ import annotations

from typing import Unpack

import torch

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.convolutions import ImageFormat, Kernel
from garage_like.torch.distributions import Categorical
from garage_like.torch.modules.cnn import CNN, CNNOptions, PaddingMode
from garage_like.torch.modules.mlp import Nonlinearity
from garage_like.torch.policies.discrete_qf_argmax_policy import check_discrete
from garage_like.torch.policies.policy import TorchNetwork
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class CategoricalCNNPolicy(StochasticPolicy):
    """Choose actions with the probabilities that convolutions give them.

    Args:
        env_spec: its observations are images, its action space is Discrete.
        max_pool: take the largest of each `pool_shape` behind each convolution.
        pool_shape: its height and width, or both in one number.
        pool_stride: steps from one such to the next.

    Raises:
        ValueError: if the spaces are others, or the convolutions contradict each other.
    """

    EXPLAINED_BY = (CNN,)

    def __init__(
        self,
        env_spec: EnvSpec,
        image_format: ImageFormat = "NHWC",
        *,
        padding_mode: PaddingMode = "zeros",
        max_pool: bool = False,
        pool_shape: Kernel | None = None,
        pool_stride: Kernel = 1,
        cnn_hidden_nonlinearity: Nonlinearity = None,
        name: str | None = None,
        **options: Unpack[CNNOptions],
    ) -> None:
        check_discrete(type(self).__name__, env_spec)
        super().__init__(env_spec)
        self.cnn = CNN(
            env_spec.observation_space,
            env_spec.action_dim,
            image_format=image_format,
            padding_mode=padding_mode,
            pool_shape=(pool_shape or 2) if max_pool else None,
            pool_stride=pool_stride,
            cnn_hidden_nonlinearity=cnn_hidden_nonlinearity,
            **options,
        )

    def forward(self, observations: torch.Tensor) -> tuple[Categorical, dict[str, torch.Tensor]]:
        return Categorical(self.cnn(observations)), {}

    def actor(self) -> CategoricalActor:
        """Return an actor on the current weights; its infos: logits, shape (N, K)."""
        return CategoricalActor(TorchNetwork(self.cnn), self._env_spec.observation_space)


class DiscreteCNNPolicy(CategoricalCNNPolicy):
    """Choose among finitely many actions: CategoricalCNNPolicy by the other name it has in garage.

    It takes `mlp_hidden_nonlinearity`, too. Differs from garage's: exactly one action is chosen,
    with the probabilities that the network gives, where garage's draws for each action apart.
    """
