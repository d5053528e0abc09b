"""CategoricalGRUPolicy and CategoricalLSTMPolicy: finitely many actions, with a memory."""

from __future__ import annotations

import torch

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.torch.distributions import Categorical
from garage_like.torch.modules.mlp import Initializer
from garage_like.torch.modules.recurrent_cells import GRU, LSTM
from garage_like.torch.policies.discrete_qf_argmax_policy import check_discrete
from garage_like.torch.policies.recurrent_policy import EpisodeSteps, RecurrentPolicy


class CategoricalRecurrentPolicy(RecurrentPolicy):
    """Choose actions with the probabilities that a recurrent network gives them.

    Args:
        env_spec: its action space is Discrete.
        hidden_dim: units of the cell.
        hidden_w_init: fills the input weights of one gate in place.
        recurrent_w_init: fills the weights of one gate for the state.
        hidden_b_init: fills the biases of one gate.
        output_w_init: fills a weight in place.
        output_b_init: fills a bias in place.
        state_include_action: append the previous action, one-hot, to the observation.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0, or hidden_dim is no
            positive integer.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = torch.nn.init.xavier_uniform_,
        recurrent_w_init: Initializer = torch.nn.init.xavier_uniform_,
        hidden_b_init: Initializer = torch.nn.init.zeros_,
        output_w_init: Initializer = torch.nn.init.xavier_uniform_,
        output_b_init: Initializer = torch.nn.init.zeros_,
        state_include_action: bool = True,
    ) -> None:
        check_discrete(type(self).__name__, env_spec)
        super().__init__(
            env_spec,
            hidden_dim,
            hidden_w_init,
            recurrent_w_init,
            hidden_b_init,
            output_w_init,
            output_b_init,
            state_include_action,
        )

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
