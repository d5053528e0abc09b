"""Acting with a memory: a recurrent network, and an actor around it.

The memory belongs to the caller, one row for each environment (`interfaces.RecurrentActor`). A row
holds the state of the cell and, if the network sees it, the previous action.
"""

from __future__ import annotations

import numpy as np

from garage_like.interfaces import Actor
from garage_like.np.cfc import CfC
from garage_like.np.gru import GRU
from garage_like.np.lstm import LSTM

Cell = GRU | LSTM | CfC


class RecurrentNetwork:
    """Compute outputs from inputs and a memory, and move the memory on.

    Args:
        cell: steps the state.
        output_weights: shape (H, K), float32.
        output_biases: shape (K,).
        action_dim: numbers of the previous action that are appended to the inputs; 0 for none.

    Attributes:
        memory_dim: numbers of one row of memory.
    """

    def __init__(
        self,
        cell: Cell,
        output_weights: np.ndarray,
        output_biases: np.ndarray,
        action_dim: int = 0,
    ) -> None:
        self._cell = cell
        self._output_weights = output_weights
        self._output_biases = output_biases.reshape(1, -1)
        self._action_dim = action_dim
        self._memory: np.ndarray | None = None
        self.memory_dim = cell.state_dim + action_dim

    def remember(self, memory: np.ndarray) -> None:
        """Use `memory`, shape (N, memory_dim), float32, from now on, and rewrite it in place.

        Raises:
            ValueError: if its rows have another length.
        """
        if memory.shape[1:] != (self.memory_dim,):
            raise ValueError(
                f"RecurrentNetwork.remember: expected rows of {self.memory_dim} numbers, got "
                f"shape {memory.shape}"
            )
        self._memory = memory

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Map shape (N, D), float32, to shape (N, K).

        Raises:
            RuntimeError: if there is no memory.
            ValueError: if the memory is of another number of rows.
        """
        memory = self._memory
        if memory is None:
            raise RuntimeError(
                "a recurrent policy's actor acts on its caller's memory; call "
                "remember(np.zeros((n_envs, actor.memory_dim), np.float32)) first, or use "
                "policy.get_actions, which keeps one"
            )
        if len(memory) != len(rows):
            raise ValueError(
                f"the memory is of {len(memory)} environments, got observations of {len(rows)}"
            )
        cell = self._cell
        states = memory[:, : cell.state_dim]
        if self._action_dim:
            rows = np.concatenate([rows, memory[:, cell.state_dim :]], axis=1)
        states[:] = cell(rows, states)
        outputs = states[:, : cell.hidden_dim].dot(self._output_weights)
        outputs += self._output_biases
        return outputs

    def note(self, actions: np.ndarray) -> None:
        """Put the actions taken, shape (N, A*), or (N,) if discrete, into the memory."""
        if not self._action_dim or self._memory is None:
            return
        previous = self._memory[:, self._cell.state_dim :]
        previous[:] = encode_actions(actions, self._action_dim)


class RecurrentActor:
    """Act by a recurrent network.

    Args:
        actor: turns the network's outputs into actions.
        network: what `actor` calls.
    """

    def __init__(self, actor: Actor, network: RecurrentNetwork) -> None:
        self._actor = actor
        self._network = network
        self.memory_dim = network.memory_dim

    def remember(self, memory: np.ndarray) -> None:
        """Act on `memory`, shape (N, memory_dim), float32, from now on, and rewrite it in place."""
        self._network.remember(memory)

    def note(self, actions: np.ndarray) -> None:
        """Remember that these were taken instead of the actions that `act` chose."""
        self._network.note(actions)

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions for observations of shape (N, O*)."""
        actions, infos = self._actor.act(observations, rng)
        self.note(actions)
        return actions, infos


def encode_actions(actions: np.ndarray, action_dim: int) -> np.ndarray:
    """Return actions as rows, shape (N, action_dim), float32; discrete ones become one-hot."""
    if actions.ndim == 1 and np.issubdtype(actions.dtype, np.integer):
        return np.eye(action_dim, dtype=np.float32)[actions]
    return actions.reshape(len(actions), action_dim).astype(np.float32, copy=False)
