"""GaussianMLPEncoder: a normal distribution over latents for each input."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.data.env_spec import EnvSpec, InOutSpec
from garage_like.tf.policies.gaussian_mlp_policy import GaussianMLPPolicy


class GaussianMLPEncoder(GaussianMLPPolicy):
    """Map inputs to a normal distribution over latents, as a GaussianMLPPolicy does to actions.

    Args:
        embedding_spec: the spaces of inputs and latents, as `TENPO.get_encoder_spec` and
            `TENPO.get_infer_spec` return them.
        **options: arguments of GaussianMLPPolicy, of latents instead of actions.

    Raises:
        ValueError: if the space of latents is no Box, or the standard deviations are contradictory.
    """

    def __init__(self, embedding_spec: InOutSpec, **options: Any) -> None:
        super().__init__(
            EnvSpec(embedding_spec.input_space, embedding_spec.output_space), **options
        )

    @property
    def spec(self) -> InOutSpec:
        """The spaces of inputs and latents."""
        return InOutSpec(self._env_spec.observation_space, self._env_spec.action_space)

    @property
    def input_dim(self) -> int:
        """Numbers of an input."""
        return self._env_spec.observation_dim

    @property
    def output_dim(self) -> int:
        """Numbers of a latent."""
        return self._env_spec.action_dim

    def get_latent(self, input_value: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw a latent for an input; return it and the mean and log_std it was drawn by."""
        return self.get_action(input_value)

    def get_latents(self, input_values: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw a latent for each of N inputs; see `get_latent`."""
        return self.get_actions(input_values)
