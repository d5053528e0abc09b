"""Networks that policies and value functions are made of."""

from garage_like.torch.modules.cnn import CNN
from garage_like.torch.modules.mlp import MLP

__all__ = ["CNN", "MLP"]
