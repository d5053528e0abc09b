"""CfC: a closed-form continuous-time cell; its equations stand in `garage_like.np.cfc`."""

from __future__ import annotations

import torch
from torch import nn

from garage_like.np import cfc as np_cfc
from garage_like.np.neural_circuit import NeuralCircuit
from garage_like.torch.modules.mlp import Initializer
from garage_like.torch.modules.recurrent_cells import RecurrentCell


class CfC(RecurrentCell):
    """Compute a closed-form continuous-time network: see `garage_like.np.cfc.CfC`.

    Args:
        input_dim: D, inputs of each step.
        hidden_dim: H, neurons.
        hidden_w_init: fills the input weights of one gate, shape (H, D), in place.
        recurrent_w_init: fills the weights of one gate for the state, shape (H, H).
        hidden_b_init: fills the biases of one gate, shape (H,).
        motors: neurons that the outside sees, of a `NeuralCircuit`; None wires every neuron to
            every other, and all are seen.
        sparsity: share of the synapses between two layers of the circuit that there are not.

    Raises:
        ValueError: if hidden_dim is no positive integer, or too small for the circuit.
    """

    num_gates = 3

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        recurrent_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        motors: int | None = None,
        sparsity: float = 0.5,
    ) -> None:
        super().__init__(input_dim, hidden_dim, hidden_w_init, recurrent_w_init, hidden_b_init)
        self.layers = [(0, hidden_dim)]
        self._is_wired = motors is not None
        if motors is None:
            return
        circuit = NeuralCircuit(input_dim, hidden_dim, motors, sparsity)
        self.layers, self.hidden_dim = circuit.layers, motors
        self.input_mask: torch.Tensor
        self.state_mask: torch.Tensor
        self.register_buffer("input_mask", torch.from_numpy(circuit.input_mask).repeat(1, 3))
        self.register_buffer("state_mask", torch.from_numpy(circuit.state_mask).repeat(1, 3))

    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weights of inputs and states, 0 where there is no synapse."""
        if not self._is_wired:
            return self.input_weights, self.state_weights
        return self.input_weights * self.input_mask, self.state_weights * self.state_mask

    def step(
        self, gates: torch.Tensor, states: torch.Tensor, state_weights: torch.Tensor
    ) -> torch.Tensor:
        """Return h' = g + s (k - g), shape (N, H), layer after layer."""
        units = self.state_dim
        gates = gates.view(-1, 3, units)
        by_gate = state_weights.view(units, 3, units)
        following = states
        for (start, stop), heard in zip(self.layers, np_cfc.heard_by(self.layers), strict=True):
            weights = by_gate[start:heard, :, start:stop].reshape(heard - start, -1)
            u = following[:, start:heard] @ weights
            u = u.view(-1, 3, stop - start) + gates[:, :, start:stop]
            g, k = torch.tanh(u[:, :2]).unbind(1)
            stepped = g + torch.sigmoid(u[:, 2]) * (k - g)
            following = torch.cat([following[:, :start], stepped, following[:, stop:]], dim=1)
        return following

    def to_numpy(self) -> np_cfc.CfC:
        weights = (*self.weights(), self.biases)
        inputs, states, biases = (weight.detach().cpu().numpy() for weight in weights)
        return np_cfc.CfC(inputs, states, biases, self.layers, self.hidden_dim)
