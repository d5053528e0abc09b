"""GRU: a gated recurrent unit over whole episodes."""

from __future__ import annotations

from garage_like.np import gru as np_gru
from garage_like.tf.modules.initializers import as_array
from garage_like.tf.modules.recurrent_cell import RecurrentCell
from garage_like.tf.quiet_import import tf


class GRU(RecurrentCell):
    """Compute a gated recurrent unit; the equations are those of `garage_like.np.gru.GRU`."""

    num_gates = 3

    def step(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return h' = z h + (1 - z) c, shape (R, H)."""
        update, _, candidate, _ = self._activate(gates, states, weights)
        return candidate + update * (states - candidate)

    def factors(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return the derivatives of h' by u_z, u_r, u_c and (left over) h, side by side."""
        z, r, c, u = self._activate(gates, states, weights)
        by_candidate = (1.0 - z) * (1.0 - tf.square(c))
        by_z = (states - c) * z * (1.0 - z)
        return tf.concat([by_z, by_candidate * u * r * (1.0 - r), by_candidate * r, z], 1)

    def push(self, factors: tf.Tensor, weights: tf.Tensor, tangents: tf.Tensor) -> tf.Tensor:
        width = self.hidden_dim
        moved = factors[:, : 3 * width] * tf.matmul(tangents, weights)
        moved = moved[:, :width] + moved[:, width : 2 * width] + moved[:, 2 * width :]
        return factors[:, 3 * width :] * tangents + moved

    def pull(self, factors: tf.Tensor, weights: tf.Tensor, adjoints: tf.Tensor) -> tf.Tensor:
        width = self.hidden_dim
        gated = factors[:, : 3 * width] * tf.tile(adjoints, (1, 3))
        return factors[:, 3 * width :] * adjoints + tf.matmul(gated, weights, transpose_b=True)

    def _activate(
        self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return z, r, the candidate c and u_c, each of shape (R, H)."""
        width = self.hidden_dim
        u = tf.matmul(states, weights)
        gated = tf.sigmoid(gates[:, : 2 * width] + u[:, : 2 * width])
        z, r, u_c = gated[:, :width], gated[:, width:], u[:, 2 * width :]
        return z, r, tf.tanh(gates[:, 2 * width :] + r * u_c), u_c

    def to_numpy(self) -> np_gru.GRU:
        """Return the same cell on copies of the weights."""
        return np_gru.GRU(
            as_array(self.input_weights), as_array(self.state_weights), as_array(self.biases)
        )
