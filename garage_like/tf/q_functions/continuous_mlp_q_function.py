"""ContinuousMLPQFunction: the value of an observation and a continuous action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.modules.module import Module
from garage_like.tf.quiet_import import tf


class ActionValue(Module):
    """Value an observation and an action, which some layer takes beside its inputs."""

    observation_mlp: MLP | None = None  # what observations go through alone
    mlp: MLP

    def __call__(self, observations: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N, 1).

        Args:
            observations: shape (N, D), flat.
            actions: shape (N, K), flat.
        """
        if self.observation_mlp is not None:
            observations = self.observation_mlp(observations)
        return self.mlp(tf.concat((observations, actions), 1))

    def get_qval(self, observation: Any, action: Any) -> np.ndarray:
        """Return values as an array, shape (N, 1).

        Args:
            observation: shape (N, O*) or (N, D).
            action: shape (N, A*) or (N, K).
        """
        rows = [np.asarray(x, np.float32).reshape(len(x), -1) for x in (observation, action)]
        values: np.ndarray = self(*map(tf.constant, rows)).numpy()
        return values


def merged_mlps(
    input_dim: int,
    action_dim: int,
    hidden_sizes: Sequence[int],
    action_merge_layer: int,
    hidden_nonlinearity: Nonlinearity,
    hidden_w_init: Initializer,
    hidden_b_init: Initializer,
    output_w_init: Initializer,
    output_b_init: Initializer,
    layer_normalization: bool,
) -> tuple[MLP | None, MLP]:
    """Return what observations go through alone, if anything, and what both go through."""
    sizes = [input_dim, *hidden_sizes]
    alone = action_merge_layer % len(sizes)
    first = None
    if alone:
        first = MLP(
            sizes[0],
            sizes[alone],
            sizes[1:alone],
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            layer_normalization,
        )
    rest = MLP(
        sizes[alone] + action_dim,
        1,
        sizes[alone + 1 :],
        hidden_nonlinearity,
        hidden_w_init,
        hidden_b_init,
        None,
        output_w_init,
        output_b_init,
        layer_normalization,
    )
    return first, rest


class ContinuousMLPQFunction(ActionValue):
    """Value an observation and an action together, by a multi-layer perceptron.

    Args:
        env_spec: of the environment to act in.
        action_merge_layer: which layer takes the action beside its inputs, counted from 0, or back
            from the output layer, which is -1.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (256, 256),
        hidden_nonlinearity: Nonlinearity = tf.nn.relu,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        action_merge_layer: int = 0,
        name: str | None = None,
    ) -> None:
        first, rest = merged_mlps(
            env_spec.observation_dim,
            env_spec.action_dim,
            hidden_sizes,
            action_merge_layer,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_w_init,
            output_b_init,
            layer_normalization,
        )
        if first is not None:
            self.observation_mlp = first
        self.mlp = rest
