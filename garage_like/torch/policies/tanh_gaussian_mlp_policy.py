"""TanhGaussianMLPPolicy: continuous actions within bounds, as noisy as the network says."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.bounded_actions import TanhGaussianActor
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.policies.deterministic_mlp_policy import BoundedPolicy, check_box
from garage_like.torch.policies.policy import TorchNetwork
from garage_like.torch.policies.stochastic_policy import StochasticPolicy
from garage_like.torch.tanh_gaussian import TanhGaussian


class TanhGaussianMLPPolicy(StochasticPolicy, BoundedPolicy):
    """Squash normally distributed numbers into the bounds of the action space.

    A multi-layer perceptron gives both means and standard deviations, before squashing. Where the
    action space has no bounds, actions are within [-1, 1].

    Args:
        env_spec: its action space is a Box.
        init_std: what they are around at first, which the biases of the outputs say.
        min_std: what standard deviations cannot fall below.
        max_std: what they cannot rise above.

    Raises:
        ValueError: if the action space is no Box, or the standard deviations are contradictory.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (256, 256),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        init_std: float = 1.0,
        min_std: float = math.exp(-20.0),
        max_std: float = math.exp(2.0),
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        check_box("TanhGaussianMLPPolicy", env_spec)
        if not 0.0 < min_std <= max_std < math.inf:
            raise ValueError(
                "TanhGaussianMLPPolicy: expected 0 < min_std <= max_std, got "
                f"{min_std!r}, {max_std!r}"
            )
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (None, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, 2 * env_spec.action_dim, *hidden, *output)
        if init_std != 1.0:
            with torch.no_grad():
                self.mlp.output.bias[env_spec.action_dim :] += math.log(init_std)
        self._log_std_range = (math.log(min_std), math.log(max_std))
        self.register_range(env_spec)

    @property
    def log_std_range(self) -> tuple[float, float]:
        """Limits of the logarithms of the standard deviations."""
        return self._log_std_range

    def forward(self, observations: torch.Tensor) -> tuple[TanhGaussian, dict[str, torch.Tensor]]:
        mean, log_std = self.mlp(observations).chunk(2, dim=-1)
        log_std = log_std.clamp(*self._log_std_range)
        return TanhGaussian(mean, log_std, self.action_centre, self.action_scale), {}

    def actor(self) -> TanhGaussianActor:
        """Return a NumPy actor on the current weights; its infos: mean, squashed and scaled."""
        return TanhGaussianActor(
            self.mlp.to_numpy() or TorchNetwork(self.mlp),
            self._env_spec.observation_space,
            self._env_spec.action_space.shape or (),
            self.action_centre.cpu().numpy(),
            self.action_scale.cpu().numpy(),
            self._log_std_range,
        )
