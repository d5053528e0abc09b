"""LSTM: a long short-term memory over whole episodes."""

from __future__ import annotations

import numpy as np

from garage_like.np import lstm as np_lstm
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.recurrent_cell import RecurrentCell
from garage_like.tf.quiet_import import tf


class LSTM(RecurrentCell):
    """Compute a long short-term memory; the equations are those of `garage_like.np.lstm.LSTM`.

    Args:
        input_dim: D, inputs of each step.
        hidden_dim: H, what the outside sees of a state.
        hidden_w_init: maps shape (D, H) to the input weights of one gate.
        recurrent_w_init: maps shape (H, H) to the weights of one gate for the state.
        hidden_b_init: maps shape (H,) to the biases of one gate.
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
        hidden_w_init: Initializer = xavier_uniform,
        recurrent_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__(input_dim, hidden_dim, hidden_w_init, recurrent_w_init, hidden_b_init)
        forget = np.zeros((self.num_gates, hidden_dim), np.float32)
        forget[1] = forget_bias
        self.biases.assign_add(forget.reshape(-1))

    def _step(self, gates: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
        width = self.hidden_dim
        gates = gates + tf.matmul(states[:, :width], self.state_weights)
        gated = tf.sigmoid(gates[:, : 3 * width])
        cells = gated[:, width : 2 * width] * states[:, width:]
        cells += gated[:, :width] * tf.tanh(gates[:, 3 * width :])
        return tf.concat([gated[:, 2 * width :] * tf.tanh(cells), cells], axis=1)

    def to_numpy(self) -> np_lstm.LSTM:
        """Return the same cell on copies of the weights."""
        return np_lstm.LSTM(
            self.input_weights.numpy(), self.state_weights.numpy(), self.biases.numpy()
        )
