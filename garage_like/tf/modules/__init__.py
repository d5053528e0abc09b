"""Networks that policies and baselines are made of."""

from garage_like.tf.modules.cnn import CNN
from garage_like.tf.modules.gru import GRU
from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.modules.mlp import MLP
from garage_like.tf.modules.module import Module

__all__ = ["CNN", "GRU", "LSTM", "MLP", "Module"]
