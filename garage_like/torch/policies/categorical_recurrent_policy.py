"""Categorical policies on recurrent cells: finitely many actions, with a memory."""

from __future__ import annotations

import torch

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.torch.distributions import Categorical
from garage_like.torch.modules.recurrent_cells import GRU, LSTM
from garage_like.torch.policies.discrete_qf_argmax_policy import check_discrete
from garage_like.torch.policies.recurrent_policy import (
    CfCPolicy,
    EpisodeSteps,
    RecurrentPolicy,
)
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class CategoricalRecurrentPolicy(RecurrentPolicy, StochasticPolicy):
    """Choose actions with the probabilities that a recurrent network gives them.

    Args:
        env_spec: its action space is Discrete.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0, or hidden_dim is no
            positive integer.
    """

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        check_discrete(type(self).__name__, env_spec)

    def forward(self, inputs: EpisodeSteps) -> tuple[Categorical, dict[str, torch.Tensor]]:  # type: ignore[override]
        """Return the distribution over actions at each step of `inputs(episodes)`."""
        return Categorical(self._outputs(inputs)), {}

    def actor(self) -> RecurrentActor:
        """Return a NumPy actor on the current weights; its infos: logits, shape (N, K)."""
        network = self._network()
        actor = CategoricalActor(network, self._env_spec.observation_space)
        return RecurrentActor(actor, network)


class CategoricalGRUPolicy(CategoricalRecurrentPolicy):
    """Choose actions with the probabilities that a gated recurrent unit gives them.

    Its arguments are those of CategoricalRecurrentPolicy.
    """

    cell_class = GRU


class CategoricalLSTMPolicy(CategoricalRecurrentPolicy):
    """Choose actions with the probabilities that a long short-term memory gives them.

    Its arguments are those of CategoricalRecurrentPolicy.
    """

    cell_class = LSTM


class CategoricalCfCPolicy(CfCPolicy, CategoricalRecurrentPolicy):
    """Choose actions with the probabilities that a closed-form continuous-time cell gives them."""
