"""GRU and LSTM: recurrent cells over whole episodes; their equations stand in `garage_like.np`."""

from __future__ import annotations

import torch
from torch import nn

from garage_like.np import gru as np_gru
from garage_like.np import lstm as np_lstm
from garage_like.np.recurrent_actors import Cell
from garage_like.torch.modules.mlp import Initializer


class RecurrentCell(nn.Module):
    """Own the weights of all gates side by side, and step a state from them.

    A subclass says how many gates it has, and implements `step` and `to_numpy`; H numbers of its
    state come first and are what the outside sees.

    Args:
        input_dim: D, inputs of each step.
        hidden_dim: H, what the outside sees of a state.
        hidden_w_init: fills the input weights of one gate, shape (H, D), in place.
        recurrent_w_init: fills the weights of one gate for the state, shape (H, H).
        hidden_b_init: fills the biases of one gate, shape (H,).

    Attributes:
        input_weights: shape (D, num_gates * H).
        state_weights: shape (H, num_gates * H).
        biases: shape (num_gates * H,).

    Raises:
        ValueError: if hidden_dim is no positive integer.
    """

    num_gates: int
    state_parts = 1

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        recurrent_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
    ) -> None:
        super().__init__()
        if isinstance(hidden_dim, bool) or not isinstance(hidden_dim, int) or hidden_dim < 1:
            raise ValueError(
                f"{type(self).__name__}: hidden_dim must be an integer of at least 1, "
                f"got {hidden_dim!r}"
            )
        self.hidden_dim = hidden_dim
        self.state_dim = self.state_parts * hidden_dim
        width = self.num_gates * hidden_dim
        self.input_weights = nn.Parameter(torch.empty(input_dim, width))
        self.state_weights = nn.Parameter(torch.empty(hidden_dim, width))
        self.biases = nn.Parameter(torch.empty(width))
        for gate in range(self.num_gates):
            columns = slice(gate * hidden_dim, (gate + 1) * hidden_dim)
            hidden_w_init(self.input_weights.data[:, columns].t())
            recurrent_w_init(self.state_weights.data[:, columns].t())
            hidden_b_init(self.biases.data[columns])

    def forward(self, rows: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """Return what the outside sees after each step, shape (T * N, H).

        Args:
            rows: shape (T * N, D): row t * N + n is step t of sequence n.
            states: shape (N, state_dim), before the first step.
        """
        # One product for all steps: only what depends on the state must wait for it.
        input_weights, state_weights = self.weights()
        gates = rows @ input_weights + self.biases
        seen = []
        for of_one_time in gates.reshape(-1, len(states), gates.shape[1]).unbind(0):
            states = self.step(of_one_time, states, state_weights)
            seen.append(states[:, : self.hidden_dim])
        return torch.cat(seen)

    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weights of inputs and states, as they count in every step."""
        return self.input_weights, self.state_weights

    def step(
        self, gates: torch.Tensor, states: torch.Tensor, state_weights: torch.Tensor
    ) -> torch.Tensor:
        """Return the states that follow, shape (N, state_dim).

        Args:
            gates: x W + b, shape (N, num_gates * H).
            states: shape (N, state_dim).
            state_weights: U, shape (H, num_gates * H).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement step")

    def to_numpy(self) -> Cell:
        """Return the same cell on NumPy views of the weights, or copies if they lie elsewhere."""
        raise NotImplementedError(f"{type(self).__name__} must implement to_numpy")


class GRU(RecurrentCell):
    """Compute a gated recurrent unit: see `garage_like.np.gru.GRU`.

    Its arguments are those of RecurrentCell.
    """

    num_gates = 3

    def step(
        self, gates: torch.Tensor, states: torch.Tensor, state_weights: torch.Tensor
    ) -> torch.Tensor:
        """Return h' = z h + (1 - z) tanh(c + r u_c), shape (N, H)."""
        width = self.hidden_dim
        u = states @ state_weights
        gated = torch.sigmoid(gates[:, : 2 * width] + u[:, : 2 * width])
        z, r = gated.split(width, dim=1)
        candidates = torch.tanh(gates[:, 2 * width :] + r * u[:, 2 * width :])
        return candidates + z * (states - candidates)

    def to_numpy(self) -> np_gru.GRU:
        return np_gru.GRU(*_arrays(self))


class LSTM(RecurrentCell):
    """Compute a long short-term memory: see `garage_like.np.lstm.LSTM`.

    Args:
        input_dim: D, inputs of each step.
        hidden_dim: H, what the outside sees of a state.
        hidden_w_init: fills the input weights of one gate, shape (H, D), in place.
        recurrent_w_init: fills the weights of one gate for the state, shape (H, H).
        hidden_b_init: fills the biases of one gate, shape (H,).
        forget_bias: added to the biases of the forget gate: 1 lets memories last from the start
            (Jozefowicz et al. 2015).

    Raises:
        ValueError: if hidden_dim is no positive integer.
    """

    num_gates = 4
    state_parts = 2

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int = 32,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        recurrent_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__(input_dim, hidden_dim, hidden_w_init, recurrent_w_init, hidden_b_init)
        self.biases.data[hidden_dim : 2 * hidden_dim] += forget_bias

    def step(
        self, gates: torch.Tensor, states: torch.Tensor, state_weights: torch.Tensor
    ) -> torch.Tensor:
        """Return [h', c'], shape (N, 2 * H)."""
        width = self.hidden_dim
        gates = gates + states[:, :width] @ state_weights
        i, f, o = torch.sigmoid(gates[:, : 3 * width]).split(width, dim=1)
        cells = f * states[:, width:] + i * torch.tanh(gates[:, 3 * width :])
        return torch.cat([o * torch.tanh(cells), cells], dim=1)

    def to_numpy(self) -> np_lstm.LSTM:
        return np_lstm.LSTM(*_arrays(self))


def _arrays(cell: RecurrentCell) -> list:
    weights = (cell.input_weights, cell.state_weights, cell.biases)
    return [weight.detach().cpu().numpy() for weight in weights]
