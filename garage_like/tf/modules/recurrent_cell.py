"""RecurrentCell: what GRU and LSTM have in common."""

from __future__ import annotations

import numpy as np

from garage_like.tf.modules.initializers import Initializer, make_variable, xavier_uniform, zeros
from garage_like.tf.modules.module import Module
from garage_like.tf.modules.unroll import unroll
from garage_like.tf.quiet_import import tf


class RecurrentCell(Module):
    """Own the weights of all gates side by side, and step a state from them.

    A subclass says how many gates it has, and implements the methods of `unroll.Cell`; H numbers
    of its state come first and are what the outside sees.

    Args:
        input_dim: D, inputs of each step.
        hidden_dim: H, what the outside sees of a state.
        hidden_w_init: maps shape (D, H) to the input weights of one gate.
        recurrent_w_init: maps shape (H, H) to the weights of one gate for the state.
        hidden_b_init: maps shape (H,) to the biases of one gate.

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
        hidden_w_init: Initializer = xavier_uniform,
        recurrent_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        name: str | None = None,
    ) -> None:
        if isinstance(hidden_dim, bool) or not isinstance(hidden_dim, int) or hidden_dim < 1:
            raise ValueError(
                f"{type(self).__name__}: hidden_dim must be an integer of at least 1, "
                f"got {hidden_dim!r}"
            )
        self.hidden_dim = hidden_dim
        self.state_dim = self.state_parts * hidden_dim
        self.input_weights = self._gates(hidden_w_init, (input_dim, hidden_dim), "input_weights")
        self.state_weights = self._gates(
            recurrent_w_init, (hidden_dim, hidden_dim), "state_weights"
        )
        self.biases = self._gates(hidden_b_init, (hidden_dim,), "biases")

    def _gates(self, init: Initializer, shape: tuple[int, ...], name: str) -> tf.Variable:
        def side_by_side(_: tuple[int, ...]) -> np.ndarray:
            parts = [np.asarray(init(shape), np.float32) for _ in range(self.num_gates)]
            return np.concatenate(parts, axis=-1)

        return make_variable(side_by_side, (*shape[:-1], self.num_gates * shape[-1]), name)

    def __call__(self, rows: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
        """Return what the outside sees after each step, shape (T * N, H).

        Args:
            rows: shape (T * N, D): row t * N + n is step t of sequence n.
            states: shape (N, state_dim), before the first step.
        """
        # One product for all steps: only what depends on the state must wait for it.
        gates = tf.matmul(rows, self.input_weights) + self.biases
        episodes = tf.shape(states)[0]
        gates = tf.reshape(gates, (-1, episodes, self.num_gates * self.hidden_dim))
        states = tf.ensure_shape(states, (None, self.state_dim))
        seen = unroll(self, gates, states, tf.convert_to_tensor(self.state_weights))
        return tf.reshape(seen[..., : self.hidden_dim], (-1, self.hidden_dim))

    def step(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return the states that follow, shape (R, state_dim).

        Args:
            gates: x W + b, shape (R, num_gates * H).
            states: shape (R, state_dim).
            weights: U, shape (H, num_gates * H).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement step")

    def factors(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return what `push` and `pull` need to know of the step's derivative, shape (R, Q)."""
        raise NotImplementedError(f"{type(self).__name__} must implement factors")

    def push(self, factors: tf.Tensor, weights: tf.Tensor, tangents: tf.Tensor) -> tf.Tensor:
        """Multiply tangents of the states, shape (R, M), by the Jacobian of the step."""
        raise NotImplementedError(f"{type(self).__name__} must implement push")

    def pull(self, factors: tf.Tensor, weights: tf.Tensor, adjoints: tf.Tensor) -> tf.Tensor:
        """Multiply adjoints of what follows, shape (R, M), by the transposed Jacobian."""
        raise NotImplementedError(f"{type(self).__name__} must implement pull")
