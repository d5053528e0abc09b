"""MLPBaseline: what baselines that are multi-layer perceptrons have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from garage_like.data.env_spec import EnvSpec
from garage_like.tf.baselines.network_baseline import NetworkBaseline
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.quiet_import import tf


class MLPBaseline(NetworkBaseline):
    """Value observations by a multi-layer perceptron, fitted by gradient steps.

    A subclass implements `compute_loss`.

    Args:
        output_nonlinearity: applied to the value.
        optimizer: as in NetworkBaseline.
        optimizer_args: as in NetworkBaseline.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = tf.tanh,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        optimizer: Any = None,
        optimizer_args: Mapping[str, Any] | None = None,
        normalize_inputs: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(env_spec, optimizer, optimizer_args, normalize_inputs)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, 1, *hidden, *output)

    def outputs(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N, 1), of scaled observations, shape (N, D)."""
        return self.mlp(observations)
