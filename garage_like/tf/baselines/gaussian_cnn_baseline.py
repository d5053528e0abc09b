"""GaussianCNNBaseline: a baseline that looks at images, fitted by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from garage_like.data.env_spec import EnvSpec
from garage_like.np.convolutions import ImageFormat
from garage_like.tf.baselines.gaussian_baseline import GaussianBaseline
from garage_like.tf.modules.cnn import CNN, CNNOptions
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.quiet_import import tf


class GaussianCNNBaseline(GaussianBaseline):
    """Take returns as normally distributed around a value that convolutions give.

    In torch this is GaussianCNNValueFunction.

    Args:
        env_spec: of the environment whose observations, images, are valued.
        output_nonlinearity: applied to the value.
        layer_normalization: normalise what goes into each hidden nonlinearity.
        adaptive_std: whether a network gives the standard deviation of each observation.
        std_share_network: whether that is the network that gives the value.
        std_hidden_sizes: units of each hidden layer of one of its own.
        std_nonlinearity: of its hidden layers.
        optimizer: as in NetworkBaseline.
        optimizer_args: as in NetworkBaseline.
        use_trust_region: keep each fit close to the last one, by a PenaltyLBFGSOptimizer.

    Raises:
        ValueError: if observations are no images, init_std is not positive, or a trust region is
            asked for with an optimizer that has none.
    """

    EXPLAINED_BY = (CNN,)

    def __init__(
        self,
        env_spec: EnvSpec,
        image_format: ImageFormat = "NHWC",
        *,
        learn_std: bool = True,
        init_std: float = 1.0,
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
        **options: Unpack[CNNOptions],
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
        self.cnn = CNN(
            env_spec.observation_space,
            1 + (adaptive_std and std_share_network),
            image_format=image_format,
            **options,
        )
        self.std_mlp = None
        if adaptive_std and not std_share_network:
            self.std_mlp = MLP(env_spec.observation_dim, 1, std_hidden_sizes, std_nonlinearity)

    def outputs(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values of scaled observations, shape (N, D), and logarithms of deviations."""
        outputs = self.cnn(observations)
        return (
            outputs if self.std_mlp is None else tf.concat((outputs, self.std_mlp(observations)), 1)
        )
