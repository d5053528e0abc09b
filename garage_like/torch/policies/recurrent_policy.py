"""RecurrentPolicy: what policies with a memory have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from garage_like.configuration.configured import NameOption
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.recurrent_actors import RecurrentNetwork
from garage_like.np.recurrent_inputs import RecurrentInputs, recurrent_inputs
from garage_like.sampler.framework_actor import Remembering
from garage_like.torch.modules.cfc import CfC
from garage_like.torch.modules.mlp import Initializer
from garage_like.torch.modules.recurrent_cells import RecurrentCell
from garage_like.torch.policies.policy import Policy


class EpisodeSteps:
    """Some steps of episodes that lie side by side: what a recurrent policy's `forward` takes.

    It has the length, the rows and the device of a tensor of S rows, so that optimizers draw
    minibatches of steps from it; each costs a pass over all episodes.

    Args:
        rows: shape (T * N, D), inputs of the cell, padded: row t * N + n is step t of episode n.
        states: shape (N, M), of the cell before the first step.
        steps: shape (S,), int64: which row each step is.
    """

    def __init__(self, rows: torch.Tensor, states: torch.Tensor, steps: torch.Tensor) -> None:
        self.rows, self.states, self.steps = rows, states, steps

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.rows.device

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, which: Any) -> EpisodeSteps:
        """Return some of the steps."""
        return EpisodeSteps(self.rows, self.states, self.steps[which])

    def tensor_split(self, pieces: int) -> list[EpisodeSteps]:
        """Return the steps in so many pieces."""
        return [
            EpisodeSteps(self.rows, self.states, piece) for piece in self.steps.tensor_split(pieces)
        ]


class RecurrentOptions(NameOption, total=False):
    """Arguments that all recurrent policies take; see RecurrentPolicy."""

    hidden_w_init: Initializer
    recurrent_w_init: Initializer
    hidden_b_init: Initializer
    output_w_init: Initializer
    output_b_init: Initializer
    state_include_action: bool


class RecurrentPolicy(Remembering, Policy):
    """Map all observations of an episode so far, and actions, to what is done.

    Workers keep the memory of the episodes that they play; `get_actions` keeps one of its own,
    which `reset` clears. Updates run over whole episodes, and over fragments from the memory with
    which they began.

    A subclass implements `forward` and `actor`, and says what its cell is.

    Args:
        env_spec: of the environment to act in.
        hidden_dim: units of the cell.
        hidden_w_init: fills the input weights of one gate in place.
        recurrent_w_init: fills the weights of one gate for the state.
        hidden_b_init: fills the biases of one gate.
        output_w_init: fills a weight in place.
        output_b_init: fills a bias in place.
        state_include_action: append the previous action to the observation.

    Raises:
        ValueError: if hidden_dim is no positive integer.
    """

    cell_class: type[RecurrentCell]

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        recurrent_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        state_include_action: bool = True,
        name: str | None = None,
    ) -> None:
        self._check_spaces(env_spec)
        super().__init__(env_spec)
        self._remembered_action_dim = env_spec.action_dim if state_include_action else 0
        self.cell = self.cell_class(
            env_spec.observation_dim + self._remembered_action_dim,
            hidden_dim,
            hidden_w_init,
            recurrent_w_init,
            hidden_b_init,
            **self._wiring(env_spec),
        )
        self.output = nn.Linear(self.cell.hidden_dim, env_spec.action_dim)
        output_w_init(self.output.weight)
        output_b_init(self.output.bias)
        self._memory = None

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        """Raise ValueError unless the policy can act there."""

    def _wiring(self, env_spec: EnvSpec) -> dict[str, Any]:
        """Return what the cell takes besides sizes and initializers."""
        return {}

    def inputs(self, episodes: EpisodeBatch) -> EpisodeSteps:
        """Return what `forward` takes: the episodes of a batch side by side."""
        return self._as_steps(
            recurrent_inputs(episodes, self.cell.state_dim, self._remembered_action_dim)
        )

    def _as_steps(self, inputs: RecurrentInputs) -> EpisodeSteps:
        rows, states, steps = (
            torch.from_numpy(np.ascontiguousarray(array)).to(self.output.weight.device)
            for array in inputs
        )
        return EpisodeSteps(rows, states, steps.long())

    def _outputs(self, inputs: EpisodeSteps) -> torch.Tensor:
        """Return the network's outputs at each of S steps, shape (S, K)."""
        outputs: torch.Tensor = self.output(self.cell(inputs.rows, inputs.states)[inputs.steps])
        return outputs

    def _network(self) -> RecurrentNetwork:
        """Return the same network in NumPy, one step at a time."""
        return RecurrentNetwork(
            self.cell.to_numpy(),
            self.output.weight.detach().cpu().numpy().T,
            self.output.bias.detach().cpu().numpy(),
            self._remembered_action_dim,
        )


class CfCPolicy(RecurrentPolicy):
    """Act by a closed-form continuous-time cell, wired as a neural circuit.

    Lechner et al. 2020 and Hasani et al. 2022: see `garage_like.np.cfc` and
    `garage_like.np.neural_circuit`. There is a motor neuron for each number of an action.

    Args:
        hidden_dim: neurons.
        sparsity: share of the synapses between two layers that there are not; None wires every
            neuron to every other, without layers.
        **options: arguments of the recurrent policy that it is mixed into.

    Raises:
        ValueError: if there are too few neurons, or the space of actions is of the wrong kind.
    """

    cell_class = CfC

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        *,
        sparsity: float | None = 0.5,
        **options: Any,
    ) -> None:
        self._sparsity = sparsity
        super().__init__(env_spec, hidden_dim, **options)

    def _wiring(self, env_spec: EnvSpec) -> dict[str, Any]:
        if self._sparsity is None:
            return {}
        return {"motors": env_spec.action_dim, "sparsity": self._sparsity}
