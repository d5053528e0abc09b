"""GaussianMLPBaseline: a baseline fitted by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from garage_like.data.env_spec import EnvSpec
from garage_like.tf.baselines.gaussian_baseline import GaussianBaseline
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.quiet_import import tf


class GaussianMLPBaseline(GaussianBaseline):
    """Take returns as normally distributed around a multi-layer perceptron's value.

    In torch this is GaussianMLPValueFunction.

    Args:
        output_nonlinearity: applied to the value.
        adaptive_std: whether a network gives the standard deviation of each observation.
        std_share_network: whether that is the network that gives the value.
        std_hidden_sizes: units of each hidden layer of one of its own.
        std_nonlinearity: of its hidden layers.
        optimizer: as in NetworkBaseline.
        optimizer_args: as in NetworkBaseline.
        use_trust_region: keep each fit close to the last one, by a PenaltyLBFGSOptimizer.

    Raises:
        ValueError: if init_std is not positive, or a trust region is asked for with an optimizer
            that has none.
    """

    EXPLAINED_BY = (MLP,)

    std_mlp: MLP | None = None

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
        learn_std: bool = True,
        init_std: float = 1.0,
        layer_normalization: bool = False,
        adaptive_std: bool = False,
        std_share_network: bool = False,
        std_hidden_sizes: Sequence[int] = (32, 32),
        std_nonlinearity: Nonlinearity = tf.tanh,
        optimizer: Any = None,
        optimizer_args: Mapping[str, Any] | None = None,
        use_trust_region: bool = False,
        max_kl_step: float = 0.01,
        normalize_inputs: bool = False,
        normalize_outputs: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(
            env_spec,
            learn_std=learn_std,
            init_std=init_std,
            adaptive_std=adaptive_std,
            use_trust_region=use_trust_region,
            max_kl_step=max_kl_step,
            optimizer=optimizer,
            optimizer_args=optimizer_args,
            normalize_inputs=normalize_inputs,
            normalize_outputs=normalize_outputs,
        )
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(
            env_spec.observation_dim, 1 + (adaptive_std and std_share_network), *hidden, *output
        )
        self.std_mlp = None
        if adaptive_std and not std_share_network:
            self.std_mlp = MLP(env_spec.observation_dim, 1, std_hidden_sizes, std_nonlinearity)

    def outputs(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values of scaled observations, shape (N, D), and logarithms of deviations."""
        outputs = self.mlp(observations)
        return (
            outputs if self.std_mlp is None else tf.concat((outputs, self.std_mlp(observations)), 1)
        )
