"""CategoricalRecurrentPolicy: choose among finitely many actions, with a memory."""

from __future__ import annotations

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.np.recurrent_inputs import RecurrentInputs
from garage_like.tf.distributions import Categorical
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
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

    def __call__(self, inputs: RecurrentInputs) -> tuple[Categorical, dict[str, tf.Tensor]]:
        """Return the distribution over actions at each step of `inputs(episodes)`."""
        return Categorical(self._outputs(inputs)), {}

    def actor(self) -> RecurrentActor:
        """Return a NumPy actor on the current weights; its infos: logits, shape (N, K)."""
        network = self._network()
        actor = CategoricalActor(network, self._env_spec.observation_space)
        return RecurrentActor(actor, network)
