"""GRU: a gated recurrent unit over whole episodes."""

from __future__ import annotations

from garage_like.np import gru as np_gru
from garage_like.tf.modules.recurrent_cell import RecurrentCell
from garage_like.tf.quiet_import import tf


class GRU(RecurrentCell):
    """Compute a gated recurrent unit; the equations are those of `garage_like.np.gru.GRU`."""

    num_gates = 3

    def _step(self, gates: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
        width = self.hidden_dim
        u = tf.matmul(states, self.state_weights)
        gated = tf.sigmoid(gates[:, : 2 * width] + u[:, : 2 * width])
        update, reset = gated[:, :width], gated[:, width:]
        candidate = tf.tanh(gates[:, 2 * width :] + reset * u[:, 2 * width :])
        return candidate + update * (states - candidate)

    def to_numpy(self) -> np_gru.GRU:
        """Return the same cell on copies of the weights."""
        return np_gru.GRU(
            self.input_weights.numpy(), self.state_weights.numpy(), self.biases.numpy()
        )
