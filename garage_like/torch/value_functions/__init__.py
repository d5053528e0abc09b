"""Value functions in torch."""

from garage_like.torch.value_functions.gaussian_cnn_value_function import GaussianCNNValueFunction
from garage_like.torch.value_functions.gaussian_mlp_value_function import GaussianMLPValueFunction
from garage_like.torch.value_functions.value_function import ValueFunction

__all__ = ["GaussianCNNValueFunction", "GaussianMLPValueFunction", "ValueFunction"]
