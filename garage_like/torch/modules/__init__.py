"""Networks that policies and value functions are made of."""

from garage_like.torch.modules.cfc import CfC
from garage_like.torch.modules.cnn import CNN
from garage_like.torch.modules.cnn_module import CNNModule, DiscreteCNNModule
from garage_like.torch.modules.gaussian_mlp_module import (
    GaussianMLPIndependentStdModule,
    GaussianMLPModule,
    GaussianMLPTwoHeadedModule,
)
from garage_like.torch.modules.mlp import MLP
from garage_like.torch.modules.multi_headed_mlp import MultiHeadedMLPModule
from garage_like.torch.modules.recurrent_cells import GRU, LSTM

MLPModule = MLP  # by the name that garage's programs ask for

__all__ = [
    "CNN",
    "GRU",
    "LSTM",
    "MLP",
    "CNNModule",
    "CfC",
    "DiscreteCNNModule",
    "GaussianMLPIndependentStdModule",
    "GaussianMLPModule",
    "GaussianMLPTwoHeadedModule",
    "MLPModule",
    "MultiHeadedMLPModule",
]
