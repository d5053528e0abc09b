"""DiscreteCNNQFunction: the value of each of finitely many actions, by looking at an image."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from torch import nn

from garage_like.configuration.configured import Named
from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import Network
from garage_like.np.convolutions import ImageFormat, Kernel
from garage_like.torch.modules.cnn import CNN, CNNOptions, PaddingMode
from garage_like.torch.modules.mlp import Nonlinearity
from garage_like.torch.policies.discrete_qf_argmax_policy import check_discrete
from garage_like.torch.q_functions.discrete_mlp_q_function import combine_dueling


class DiscreteCNNQFunction(Named, nn.Module):
    """Value all actions at once, by convolutions.

    Args:
        env_spec: its observations are images, its action space is Discrete.
        max_pool: take the largest of each `pool_shape` behind each convolution.
        pool_shape: its height and width, or both in one number.
        pool_stride: steps from one such to the next.
        dueling: learn the value of the state apart from what each action adds to it.

    Raises:
        ValueError: if the spaces are others, or the convolutions contradict each other.
    """

    EXPLAINED_BY = (CNN,)

    def __init__(
        self,
        env_spec: EnvSpec,
        image_format: ImageFormat = "NHWC",
        *,
        cnn_hidden_nonlinearity: Nonlinearity = None,
        padding_mode: PaddingMode = "zeros",
        max_pool: bool = False,
        pool_shape: Kernel | None = None,
        pool_stride: Kernel = 1,
        dueling: bool = False,
        name: str | None = None,
        **options: Unpack[CNNOptions],
    ) -> None:
        check_discrete("DiscreteCNNQFunction", env_spec)
        super().__init__()
        self._dueling = dueling
        self.cnn = CNN(
            env_spec.observation_space,
            env_spec.action_dim + dueling,
            image_format=image_format,
            cnn_hidden_nonlinearity=cnn_hidden_nonlinearity,
            padding_mode=padding_mode,
            pool_shape=(pool_shape or 2) if max_pool else None,
            pool_stride=pool_stride,
            **options,
        )

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N, K), for flat observations, shape (N, D)."""
        outputs: torch.Tensor = self.cnn(observations)
        return combine_dueling(outputs) if self._dueling else outputs

    def to_numpy(self) -> Network | None:
        """Return None: NumPy has no convolutions."""
        return None


class DiscreteDuelingCNNQFunction(DiscreteCNNQFunction):
    """Value all actions at once, the value of the state apart from what each action adds to it.

    Wang et al. 2016, arXiv:1511.06581. Its arguments are those of DiscreteCNNQFunction.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "dueling": True})
