"""Run a recurrent cell over time, and its gradients back.

TensorFlow can differentiate its loops, twice even, but then every operation of a step goes through
a stack at each step. Here the gradient is written so that only what must go step by step does: the
adjoints, a recurrence that is linear. All else (gates, their derivatives, sums over steps) is done
for all steps at once. That recurrence has its own gradient, which is the same recurrence in the
other direction; so products with a Hessian are as cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from garage_like.tf.quiet_import import tf


class Cell(Protocol):
    """What is run: R rows at once, of one time or of all."""

    def step(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return the states that follow, shape (R, M).

        Args:
            gates: what the inputs come to, shape (R, G).
            states: shape (R, M).
            weights: of the state, shape (H, G).
        """

    def factors(self, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return what `push` and `pull` need to know of the step's derivative, shape (R, Q)."""

    def push(self, factors: tf.Tensor, weights: tf.Tensor, tangents: tf.Tensor) -> tf.Tensor:
        """Multiply tangents of the states, shape (R, M), by the Jacobian of the step."""

    def pull(self, factors: tf.Tensor, weights: tf.Tensor, adjoints: tf.Tensor) -> tf.Tensor:
        """Multiply adjoints of what follows, shape (R, M), by the transposed Jacobian."""


def unroll(cell: Cell, gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return the states after each step: shape (T, N, M).

    Gradients of any order go through it.

    Args:
        cell: steps the states.
        gates: shape (T, N, G).
        states: shape (N, M), before the first step.
        weights: of the state, shape (H, G).
    """

    @tf.custom_gradient
    def run(gates: tf.Tensor, states: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        # Where a loop's inputs have no gradient, TensorFlow does not prepare for one.
        fixed_gates, fixed_states, fixed_weights = map(tf.stop_gradient, (gates, states, weights))

        def advance(states: tf.Tensor, gates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            states = cell.step(gates, states, fixed_weights)
            return states, states

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            # What `run` has returned, so that a second gradient goes through this one and not
            # through the loop.
            (seen,) = returned
            flat_gates = _rows(gates)
            before = _rows(tf.concat([states[None], seen[:-1]], 0))
            factors = _like(seen, cell.factors(flat_gates, before, weights))
            adjoints = _solve_backwards(cell, factors, weights, upstream)
            with tf.GradientTape() as tape:
                tape.watch([flat_gates, weights])
                following = cell.step(flat_gates, before, weights)
            of_gates, of_weights = tape.gradient(
                following, [flat_gates, weights], _rows(adjoints), unconnected_gradients="zero"
            )
            of_states = cell.pull(factors[0], weights, adjoints[0])
            return _like(seen, of_gates), of_states, of_weights

        return _scan(advance, fixed_states, [fixed_gates]), gradient

    returned = [run(gates, states, weights)]
    return returned[0]


def _solve_backwards(
    cell: Cell, factors: tf.Tensor, weights: tf.Tensor, upstream: tf.Tensor
) -> tf.Tensor:
    """Solve a_t = g_t + J_{t+1}' a_{t+1}, where J is the Jacobian of a step; shape (T, N, M).

    Args:
        cell: multiplies by the Jacobian.
        factors: shape (T, N, Q).
        weights: of the state, shape (H, G).
        upstream: g, shape (T, N, M).
    """

    @tf.custom_gradient
    def run(
        factors: tf.Tensor, weights: tf.Tensor, upstream: tf.Tensor
    ) -> tuple[tf.Tensor, Callable]:
        fixed = tuple(map(tf.stop_gradient, (factors, weights, upstream)))

        def back(
            later: tf.Tensor, upstream: tf.Tensor, factors: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            adjoints = upstream + later
            return cell.pull(factors, fixed[1], adjoints), adjoints

        def forth(
            tangents: tf.Tensor, upstream: tf.Tensor, factors: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            tangents = upstream + cell.push(factors, weights, tangents)
            return tangents, tangents

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            tangents = _scan(forth, tf.zeros_like(upstream[0]), [upstream, factors])
            later, pulled = _rows(factors[1:]), _rows(returned[0][1:])
            with tf.GradientTape() as tape:
                tape.watch([later, weights])
                earlier = cell.pull(later, weights, pulled)
            of_later, of_weights = tape.gradient(earlier, [later, weights], _rows(tangents[:-1]))
            of_factors = _like(factors[1:], of_later)
            return tf.pad(of_factors, [[1, 0], [0, 0], [0, 0]]), of_weights, tangents

        nothing = tf.zeros_like(fixed[2][0])
        return _scan(back, nothing, [fixed[2], fixed[0]], backwards=True), gradient

    returned = [run(factors, weights, upstream)]
    return returned[0]


def _scan(
    function: Callable[..., tuple[tf.Tensor, tf.Tensor]],
    carry: tf.Tensor,
    arrays: list[tf.Tensor],
    backwards: bool = False,
) -> tf.Tensor:
    """Call a function at each time; return what it gives to be kept, shape (T, N, M).

    Args:
        function: maps what was carried, shape (N, M), and each array at one time to what is
            carried on and what is kept, each of shape (N, M).
        carry: for the first call.
        arrays: of shapes (T, N, ...).
        backwards: begin with the last time.
    """
    times, width = tf.shape(arrays[0])[0], carry.shape[1]
    inputs = [
        tf.TensorArray(tf.float32, times, element_shape=(None, array.shape[2])).unstack(array)
        for array in arrays
    ]

    def advance(count: tf.Tensor, carry: tf.Tensor, kept: tf.TensorArray) -> tuple[Any, ...]:
        time = times - 1 - count if backwards else count
        carry, keep = function(carry, *(array.read(time) for array in inputs))
        return count + 1, carry, kept.write(time, keep)

    *_, kept = tf.while_loop(
        lambda count, *_: count < times,
        advance,
        (tf.constant(0), carry, tf.TensorArray(tf.float32, times, element_shape=(None, width))),
        (tf.TensorShape(()), tf.TensorShape((None, width)), tf.TensorShape(None)),
        maximum_iterations=times,
    )
    return kept.stack()


def _rows(array: tf.Tensor) -> tf.Tensor:
    """Lay all times of an array of shape (T, N, ...) out as rows, shape (T * N, ...)."""
    return tf.reshape(array, (-1, array.shape[2]))


def _like(array: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Take rows, shape (T * N, Q), back to the times of an array of shape (T, N, ...)."""
    shape = tf.shape(array)
    return tf.reshape(rows, (shape[0], shape[1], rows.shape[1]))
