"""LSTM: a long short-term memory over whole episodes."""

from __future__ import annotations

import numpy as np

from garage_like.np import lstm as np_lstm
from garage_like.tf.modules.initializers import Initializer, as_array, xavier_uniform, zeros
from garage_like.tf.modules.recurrent_cell import RecurrentCell
from garage_like.tf.quiet_import import tf


class LSTM(RecurrentCell):
    """Compute a long short-term memory; the equations are those of `garage_like.np.lstm.LSTM`.

    Args:
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
        name: str | None = None,
    ) -> None:
        super().__init__(input_dim, hidden_dim, hidden_w_init, recurrent_w_init, hidden_b_init)
        forget = np.zeros((self.num_gates, hidden_dim), np.float32)
        forget[1] = forget_bias
        self.biases.assign_add(forget.reshape(-1))

    def step(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return [h', c'], shape (R, 2 * H)."""
        i, f, o, g = self._activate(gates, states, weights)
        cells = f * states[:, self.hidden_dim :] + i * g
        return tf.concat([o * tf.tanh(cells), cells], 1)

    def factors(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return the derivatives of c' by gates i and f, of h' by o, of c' by g; of h' by c'; f."""
        i, f, o, g = self._activate(gates, states, weights)
        cells = states[:, self.hidden_dim :]
        shown = tf.tanh(f * cells + i * g)
        by_gates = [g * i * (1.0 - i), cells * f * (1.0 - f), shown * o * (1.0 - o)]
        return tf.concat([*by_gates, i * (1.0 - tf.square(g)), o * (1.0 - tf.square(shown)), f], 1)

    def push(self, factors: tf.Tensor, weights: tf.Tensor, tangents: tf.Tensor) -> tf.Tensor:
        by_i, by_f, by_o, by_g, by_cells, f = tf.split(factors, 6, 1)
        of_i, of_f, of_o, of_g = tf.split(tf.matmul(tangents[:, : self.hidden_dim], weights), 4, 1)
        cells = f * tangents[:, self.hidden_dim :] + by_i * of_i + by_f * of_f + by_g * of_g
        return tf.concat([by_cells * cells + by_o * of_o, cells], 1)

    def pull(self, factors: tf.Tensor, weights: tf.Tensor, adjoints: tf.Tensor) -> tf.Tensor:
        by_i, by_f, by_o, by_g, by_cells, f = tf.split(factors, 6, 1)
        outputs = adjoints[:, : self.hidden_dim]
        cells = adjoints[:, self.hidden_dim :] + by_cells * outputs
        gated = tf.concat([by_i * cells, by_f * cells, by_o * outputs, by_g * cells], 1)
        return tf.concat([tf.matmul(gated, weights, transpose_b=True), f * cells], 1)

    def _activate(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> list[tf.Tensor]:
        """Return i, f, o and g, each of shape (R, H)."""
        width = self.hidden_dim
        gates = gates + tf.matmul(states[:, :width], weights)
        gated = tf.sigmoid(gates[:, : 3 * width])
        return [*tf.split(gated, 3, 1), tf.tanh(gates[:, 3 * width :])]

    def to_numpy(self) -> np_lstm.LSTM:
        """Return the same cell on copies of the weights."""
        return np_lstm.LSTM(
            as_array(self.input_weights), as_array(self.state_weights), as_array(self.biases)
        )
