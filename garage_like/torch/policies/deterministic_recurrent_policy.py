"""Deterministic policies on recurrent cells: one continuous action, with a memory."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import torch

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.np.bounded_actions import ScaledNetwork
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.np.recurrent_inputs import history_inputs
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.modules.recurrent_cells import GRU, LSTM
from garage_like.torch.policies.deterministic_mlp_policy import BoundedPolicy, check_box
from garage_like.torch.policies.recurrent_policy import (
    CfCPolicy,
    EpisodeSteps,
    RecurrentOptions,
    RecurrentPolicy,
)


class DeterministicRecurrentPolicy(RecurrentPolicy, BoundedPolicy):
    """Take the action that a recurrent network gives, within the bounds of the action space.

    While acting, memory goes back to the beginning of the episode. DDPG and TD3 learn from single
    transitions, whose memory they compute from the env steps before it, as many as are said: what
    was longer ago counts, but how it counts is not learned. Of one environment the steps of a call
    follow those of the call before; of several, a history reaches back to where a call began.

    Args:
        env_spec: its action space is a Box.
        history_length: env steps, the last one included, over which memory is learned.

    Raises:
        ValueError: if the action space is no Box, or a number is no positive integer.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        *,
        history_length: int = 8,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        if history_length < 1:
            raise ValueError(
                f"{type(self).__name__}: history_length must be at least 1, got {history_length!r}"
            )
        super().__init__(env_spec, hidden_dim, **options)
        self.history_length = history_length
        self.register_range(env_spec)

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        check_box(type(self).__name__, env_spec)

    def histories(self, transitions: Transitions) -> tuple[EpisodeSteps, EpisodeSteps]:
        """Return what `forward` takes, before and after each of B transitions.

        Args:
            transitions: as `PathBuffer.sample_histories` returns them.
        """
        inputs = history_inputs(
            self._env_spec.observation_space,
            transitions,
            self.cell.state_dim,
            self._remembered_action_dim,
        )
        before = self._as_steps(inputs)
        return before, EpisodeSteps(before.rows, before.states, before.steps + len(before.states))

    def forward(self, inputs: EpisodeSteps) -> torch.Tensor:
        """Return the action at each of S steps, shape (S, K)."""
        squashed = torch.tanh(self._outputs(inputs))
        actions: torch.Tensor = self.action_centre + self.action_scale * squashed
        return actions

    def actor(self) -> RecurrentActor:
        network, spec = self._network(), self._env_spec
        scaled = ScaledNetwork(
            lambda rows: np.tanh(network(rows)),
            self.action_centre.cpu().numpy(),
            self.action_scale.cpu().numpy(),
        )
        shape = spec.action_space.shape
        return RecurrentActor(DeterministicActor(scaled, spec.observation_space, shape), network)


class DeterministicGRUPolicy(DeterministicRecurrentPolicy):
    """Take the action that a gated recurrent unit gives.

    Its arguments are those of DeterministicRecurrentPolicy.
    """

    cell_class = GRU


class DeterministicLSTMPolicy(DeterministicRecurrentPolicy):
    """Take the action that a long short-term memory gives.

    Its arguments are those of DeterministicRecurrentPolicy.
    """

    cell_class = LSTM


class DeterministicCfCPolicy(CfCPolicy, DeterministicRecurrentPolicy):
    """Take the action that a closed-form continuous-time cell gives: a liquid network."""
