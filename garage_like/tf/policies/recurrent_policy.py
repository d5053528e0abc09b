"""RecurrentPolicy: what policies with a memory have in common."""

from __future__ import annotations

from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.recurrent_actors import RecurrentNetwork
from garage_like.np.recurrent_inputs import RecurrentInputs, recurrent_inputs
from garage_like.sampler.framework_actor import Remembering
from garage_like.tf.modules.gru import GRU
from garage_like.tf.modules.initializers import (
    Initializer,
    as_array,
    make_variable,
    xavier_uniform,
    zeros,
)
from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


class RecurrentPolicy(Remembering, StochasticPolicy):
    """Map all observations of an episode so far, and actions, to a distribution over actions.

    Workers keep the memory of the episodes that they play; `get_actions` keeps one of its own,
    which `reset` clears. Updates run over whole episodes, and over fragments from the memory with
    which they began.

    A subclass implements `__call__` and `actor`, and says what its cell is.

    Args:
        hidden_dim: units of the cell.
        hidden_w_init: maps a shape (inputs, units) to the input weights of one gate.
        recurrent_w_init: maps a shape (units, units) to the weights of one gate for the state.
        hidden_b_init: maps a shape (units,) to the biases of one gate.
        output_w_init: maps a shape (units, outputs) to weights.
        output_b_init: maps a shape (outputs,) to biases.
        state_include_action: append the previous action to the observation.

    Raises:
        ValueError: if hidden_dim is no positive integer.
    """

    cell_class: type[GRU] | type[LSTM]

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = xavier_uniform,
        recurrent_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        state_include_action: bool = True,
        name: str | None = None,
    ) -> None:
        self._check_spaces(env_spec)
        super().__init__(env_spec)
        outputs = env_spec.action_dim
        self._remembered_action_dim = outputs if state_include_action else 0
        self.cell = self.cell_class(
            env_spec.observation_dim + self._remembered_action_dim,
            hidden_dim,
            hidden_w_init,
            recurrent_w_init,
            hidden_b_init,
        )
        self.output_weights = make_variable(output_w_init, (hidden_dim, outputs), "output_weight")
        self.output_biases = make_variable(output_b_init, (outputs,), "output_bias")
        self._memory = None

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        """Raise ValueError unless the policy can act there."""

    def inputs(self, episodes: EpisodeBatch) -> RecurrentInputs:
        """Return what a call takes: the episodes of a batch side by side."""
        return recurrent_inputs(episodes, self.cell.state_dim, self._remembered_action_dim)

    def _outputs(self, inputs: RecurrentInputs) -> tf.Tensor:
        """Return the network's outputs at each of S steps, shape (S, K)."""
        seen = tf.gather(self.cell(inputs.rows, inputs.states), inputs.steps)
        return tf.matmul(seen, self.output_weights) + self.output_biases

    def _network(self) -> RecurrentNetwork:
        """Return the same network on copies of the weights, one step at a time."""
        return RecurrentNetwork(
            self.cell.to_numpy(),
            as_array(self.output_weights),
            as_array(self.output_biases),
            self._remembered_action_dim,
        )
