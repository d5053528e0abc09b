"""Categorical policies on recurrent cells: finitely many actions, with a memory."""

from __future__ import annotations

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.np.recurrent_inputs import RecurrentInputs
from garage_like.tf.distributions import Categorical
from garage_like.tf.modules.gru import GRU
from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.policies.recurrent_policy import RecurrentPolicy
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.quiet_import import tf


class CategoricalRecurrentPolicy(RecurrentPolicy):
    """Choose actions with the probabilities that a recurrent network gives them.

    Args:
        env_spec: its action space is Discrete.
        state_include_action: append the previous action, one-hot, to the observation.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0, or hidden_dim is no
            positive integer.
    """

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        check_discrete(type(self).__name__, env_spec)

    def __call__(self, inputs: RecurrentInputs) -> tuple[Categorical, dict[str, tf.Tensor]]:
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
