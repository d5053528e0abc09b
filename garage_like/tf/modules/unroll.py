"""Run a recurrent cell over time."""

from __future__ import annotations

from collections.abc import Callable

from garage_like.tf.quiet_import import tf

Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Maps inputs of one time, shape (N, G), and states, shape (N, M), to the states that follow."""


def unroll(step: Step, inputs: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
    """Return the states after each step: shape (T, N, M).

    Gradients of any order go through it.

    Args:
        step: the cell.
        inputs: shape (T, N, G).
        states: shape (N, M), before the first step.
    """
    times = tf.shape(inputs)[0]
    width = states.shape[1]
    arrays = tf.TensorArray(tf.float32, times, element_shape=(None, inputs.shape[2]))
    arrays = arrays.unstack(inputs)

    def advance(time: tf.Tensor, states: tf.Tensor, seen: tf.TensorArray) -> tuple:
        states = step(arrays.read(time), states)
        return time + 1, states, seen.write(time, states)

    seen = tf.TensorArray(tf.float32, times, element_shape=(None, width))
    *_, seen = tf.while_loop(
        lambda time, *_: time < times,
        advance,
        (tf.constant(0), states, seen),
        (tf.TensorShape(()), tf.TensorShape((None, width)), tf.TensorShape(None)),
        maximum_iterations=times,
    )
    return seen.stack()
