"""Value functions in torch."""

from garage_like.torch.value_functions.gaussian_mlp_value_function import GaussianMLPValueFunction

__all__ = ["GaussianMLPValueFunction"]
