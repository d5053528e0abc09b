"""Multi-layer perceptrons in JAX: weights as plain dictionaries, named as flax names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

Params = Mapping[str, Any]

ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu}


def make_mlp(
    key: jax.Array, sizes: Sequence[int], hidden_scale: float, output_scale: float
) -> dict[str, Any]:
    """Draw orthogonal weights; biases are 0.

    Args:
        key: what is drawn from.
        sizes: widths of all layers, input and output included.
        hidden_scale: of the weights of hidden layers.
        output_scale: of those of the last.
    """
    shapes = list(pairwise(sizes))
    scales = [hidden_scale] * (len(shapes) - 1) + [output_scale]
    keys = jax.random.split(key, len(shapes))
    return {
        f"Dense_{i}": {
            "kernel": jax.nn.initializers.orthogonal(scale)(layer_key, shape),
            "bias": jnp.zeros(shape[1]),
        }
        for i, (layer_key, shape, scale) in enumerate(zip(keys, shapes, scales, strict=True))
    }


def mlp(params: Params, x: jax.Array, nonlinearity: str) -> jax.Array:
    """Map inputs, shape (..., D), to outputs, shape (..., K)."""
    activation = ACTIVATIONS[nonlinearity]
    last = sum(name.startswith("Dense_") for name in params) - 1
    for i in range(last):
        layer = params[f"Dense_{i}"]
        x = activation(x @ layer["kernel"] + layer["bias"])
    return x @ params[f"Dense_{last}"]["kernel"] + params[f"Dense_{last}"]["bias"]
