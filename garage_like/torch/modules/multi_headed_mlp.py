"""MultiHeadedMLPModule: several outputs on the same hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from garage_like.torch.modules.mlp import Initializer, Nonlinearity, as_module


class MultiHeadedMLPModule(nn.Module):
    """Compute several outputs, the heads, from one stack of hidden layers.

    Args:
        n_heads: how many.
        input_dim: inputs.
        output_dims: outputs of each head, or one number for all; so with what begins with
            `output_` below.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_nonlinearities: as hidden_nonlinearity.
        output_w_inits: as hidden_w_init.
        output_b_inits: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity.

    Raises:
        ValueError: if there is neither one value for all heads nor one for each.
    """

    def __init__(
        self,
        n_heads: int,
        input_dim: int,
        output_dims: Sequence[int] | int,
        hidden_sizes: Sequence[int],
        hidden_nonlinearity: Nonlinearity = torch.relu,
        hidden_w_init: Initializer = nn.init.xavier_normal_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearities: Sequence[Nonlinearity] | Nonlinearity = None,
        output_w_inits: Sequence[Initializer] | Initializer = nn.init.xavier_normal_,
        output_b_inits: Sequence[Initializer] | Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
    ) -> None:
        super().__init__()
        dims = _of_each("output_dims", output_dims, n_heads)
        w_inits = _of_each("output_w_inits", output_w_inits, n_heads)
        b_inits = _of_each("output_b_inits", output_b_inits, n_heads)
        activations = _of_each("output_nonlinearities", output_nonlinearities, n_heads)
        hidden: list[nn.Module] = []
        for inputs, outputs in pairwise([input_dim, *hidden_sizes]):
            layer = _linear(inputs, outputs, hidden_w_init, hidden_b_init)
            norm = [nn.LayerNorm(outputs)] if layer_normalization else []
            hidden += [layer, *norm, as_module("hidden_nonlinearity", hidden_nonlinearity)]
        self.hidden = nn.Sequential(*hidden)
        last = [input_dim, *hidden_sizes][-1]
        self.heads = nn.ModuleList(
            nn.Sequential(
                _linear(last, dim, w_init, b_init), as_module("output_nonlinearities", activation)
            )
            for dim, w_init, b_init, activation in zip(
                dims, w_inits, b_inits, activations, strict=True
            )
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return what each head makes of shape (N, input_dim)."""
        x = self.hidden(x)
        return [head(x) for head in self.heads]


def _of_each(name: str, value: Any, n_heads: int) -> list[Any]:
    """Return one value for each head."""
    if not isinstance(value, list | tuple):
        return [value] * n_heads
    if len(value) not in (1, n_heads):
        raise ValueError(
            f"MultiHeadedMLPModule: {name} must be one value, or one for each of {n_heads} heads,"
            f" got {value!r}"
        )
    return [*value] * (n_heads // len(value))


def _linear(inputs: int, outputs: int, w_init: Initializer, b_init: Initializer) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    w_init(layer.weight)
    b_init(layer.bias)
    return layer
