"""GaussianMLPBaseline: a baseline fitted by maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.tf.baselines.mlp_baseline import MLPBaseline
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import Nonlinearity
from garage_like.tf.quiet_import import tf


class GaussianMLPBaseline(MLPBaseline):
    """Take returns as normally distributed around a multi-layer perceptron's value.

    In torch this is GaussianMLPValueFunction.

    Args:
        env_spec: of the environment whose observations are valued.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: function of a tensor; None for none.
        hidden_w_init: maps a shape (inputs, outputs) to weights.
        hidden_b_init: maps a shape (outputs,) to biases.
        output_nonlinearity: applied to the value.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        learn_std: whether the standard deviation is a parameter.
        init_std: what it starts at.
        layer_normalization: normalise what goes into each hidden nonlinearity.

    Raises:
        ValueError: if init_std is not positive.
    """

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
    ) -> None:
        if not init_std > 0.0:
            raise ValueError(f"GaussianMLPBaseline: init_std must be positive, got {init_std!r}")
        super().__init__(
            env_spec,
            hidden_sizes,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_nonlinearity,
            output_w_init,
            output_b_init,
            layer_normalization,
        )
        self.log_std = tf.Variable(
            np.float32(math.log(init_std)), trainable=learn_std, name="log_std"
        )

    def compute_loss(self, observations: tf.Tensor, returns: tf.Tensor) -> tf.Tensor:
        """Compute the mean of -log N(G | V(s), sigma^2).

        Args:
            observations: shape (N, D), flat.
            returns: shape (N,).
        """
        z = (returns - self(observations)) * tf.exp(-self.log_std)
        constant = 0.5 * math.log(2.0 * math.pi)
        return 0.5 * tf.reduce_mean(tf.square(z)) + self.log_std + constant
