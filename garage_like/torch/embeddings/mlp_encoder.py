"""MLPEncoder: a multi-layer perceptron that encodes single transitions."""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium
import numpy as np
from torch import nn

from garage_like.data.env_spec import InOutSpec
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity


class MLPEncoder(MLP):
    """Map transitions, shape (N, input_dim), to what is made of them, shape (N, output_dim).

    Args:
        input_dim: numbers of a transition.
        output_dim: numbers that are made of it.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_nonlinearity: as hidden_nonlinearity.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_normal_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = nn.init.xavier_normal_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
    ) -> None:
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        super().__init__(input_dim, output_dim, *hidden, *output)
        self.input_dim = input_dim

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: it remembers nothing of episodes."""

    @property
    def spec(self) -> InOutSpec:
        """The spaces of inputs and outputs."""
        spaces = [
            gymnasium.spaces.Box(-np.inf, np.inf, (dim,), np.float32)
            for dim in (self.input_dim, self.output_dim)
        ]
        return InOutSpec(*spaces)
