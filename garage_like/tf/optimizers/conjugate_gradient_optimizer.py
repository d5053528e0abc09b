"""ConjugateGradientOptimizer: the largest step along the natural gradient within a trust region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from garage_like.configuration.configured import Configured
from garage_like.np.line_search import check_line_search
from garage_like.tf.optimizers.flat_vectors import assign_flat, flat, split
from garage_like.tf.quiet_import import tf

Scalar = Callable[[], tf.Tensor]
"""Computes a scalar from the variables as they are now."""


class ConjugateGradientOptimizer(Configured):
    """Minimise a loss under a constraint, one step at a time.

    The direction solves H x = g by conjugate gradients, where g is the gradient of the loss and H
    the Hessian of the constraint; it is as long as the constraint allows (to second order), and a
    line search shortens it until the loss falls and the constraint holds. A step for which neither
    comes about is not taken. Appendix C of Schulman et al. 2015, arXiv:1502.05477.

    Args:
        variables: what it moves.
        max_constraint_value: the trust region.
        cg_iters: iterations of conjugate gradients.
        max_backtracks: lengths that the line search tries.
        backtrack_ratio: each of them, as a part of the one before.
        hvp_reg_coeff: added to the diagonal of H, so that it is safely positive.
        accept_violation: keep the last length tried even if it breaks the constraint.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        variables: Iterable[tf.Variable],
        max_constraint_value: float,
        cg_iters: int = 10,
        max_backtracks: int = 15,
        backtrack_ratio: float = 0.8,
        hvp_reg_coeff: float = 1e-5,
        accept_violation: bool = False,
    ) -> None:
        check_line_search(max_constraint_value, cg_iters, max_backtracks, backtrack_ratio)
        self.variables = list(variables)
        self._max_constraint_value = max_constraint_value
        self._cg_iters = cg_iters
        self._max_backtracks = max_backtracks
        self._backtrack_ratio = backtrack_ratio
        self._hvp_reg_coeff = hvp_reg_coeff
        self._accept_violation = accept_violation

    def step(self, f_loss: Scalar, f_constraint: Scalar) -> tf.Tensor:
        """Take one step; return the loss before it. As in `search_step`."""
        return self.search_step(f_loss, f_constraint)[0]

    def search_step(self, f_loss: Scalar, f_constraint: Scalar) -> tuple[tf.Tensor, tf.Tensor]:
        """Take one step; best within a trace.

        Args:
            f_loss: computes the loss.
            f_constraint: computes the constraint: zero, with zero gradient, where we are.

        Returns:
            The loss before the step, and how often the line search stepped back.
        """
        with tf.GradientTape() as tape:
            loss = f_loss()
        gradient = flat(tape.gradient(loss, self.variables), self.variables)
        hessian = HessianVectorProduct(f_constraint, self.variables, self._hvp_reg_coeff)
        direction = conjugate_gradient(hessian, gradient, self._cg_iters)
        # To second order the constraint at x is x'Hx / 2 (its value and gradient are zero here).
        curvature = _dot(direction, hessian(direction))
        length = tf.sqrt(2.0 * self._max_constraint_value / (curvature + 1e-8))
        return loss, self._search(length * direction, loss, f_loss, f_constraint)

    def _search(
        self, step: tf.Tensor, loss_before: tf.Tensor, f_loss: Scalar, f_constraint: Scalar
    ) -> tf.Tensor:
        """Go along -step as far as the loss falls and the constraint holds, or stay.

        Returns:
            How many lengths were tried after the first.
        """
        start = flat(self.variables, self.variables)

        def must_go_on(tries: tf.Tensor, ratio: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
            return tf.logical_and(tries < self._max_backtracks, tf.logical_not(found))

        def try_length(
            tries: tf.Tensor, ratio: tf.Tensor, found: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            assign_flat(self.variables, start - ratio * step)
            holds = f_constraint() <= self._max_constraint_value
            found = tf.logical_and(f_loss() < loss_before, holds)
            return tries + 1, ratio * self._backtrack_ratio, found

        state = [tf.constant(0), tf.constant(1.0), tf.constant(False)]
        tries, _, found = tf.while_loop(must_go_on, try_length, state, parallel_iterations=1)
        if self._accept_violation:
            found = tf.logical_or(found, f_loss() < loss_before)
        assign_flat(self.variables, tf.where(found, flat(self.variables, self.variables), start))
        return tries - 1


class HessianVectorProduct:
    """Multiply the Hessian of a scalar by vectors, by differentiating twice.

    Args:
        scalar: computes what is differentiated.
        variables: by what.
        regularization: added to the diagonal.
    """

    def __init__(
        self, scalar: Scalar, variables: Sequence[tf.Variable], regularization: float = 0.0
    ) -> None:
        self._scalar = scalar
        self._variables = variables
        self._regularization = regularization

    def __call__(self, vector: tf.Tensor) -> tf.Tensor:
        """Return H v + regularization v, shape (P,), for a vector of shape (P,)."""
        parts = split(vector, self._variables)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                scalar = self._scalar()
            gradients = inner.gradient(scalar, self._variables)
            slope = tf.add_n(
                [
                    tf.reduce_sum(gradient * part)
                    for gradient, part in zip(gradients, parts, strict=True)
                    if gradient is not None
                ]
            )
        product = outer.gradient(slope, self._variables)
        return flat(product, self._variables) + self._regularization * vector


def conjugate_gradient(
    matrix: Callable[[tf.Tensor], tf.Tensor],
    right_side: tf.Tensor,
    iterations: int,
    residual_tolerance: float = 1e-10,
) -> tf.Tensor:
    """Solve A x = b for a symmetric positive A that is known by its products only.

    Args:
        matrix: maps v to A v.
        right_side: b, shape (P,).
        iterations: at most so many products.
        residual_tolerance: stop where |b - A x|^2 is less.
    """

    def must_go_on(count: tf.Tensor, *state: tf.Tensor) -> tf.Tensor:
        return tf.logical_and(count < iterations, state[-1] >= residual_tolerance)

    def iterate(
        count: tf.Tensor, x: tf.Tensor, residual: tf.Tensor, direction: tf.Tensor, square: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        product = matrix(direction)
        alpha = square / _dot(direction, product)
        x = x + alpha * direction
        residual = residual - alpha * product
        next_square = _dot(residual, residual)
        direction = residual + (next_square / square) * direction
        return count + 1, x, residual, direction, next_square

    state = [
        tf.constant(0),
        tf.zeros_like(right_side),
        right_side,
        right_side,
        _dot(right_side, right_side),
    ]
    x: tf.Tensor = tf.while_loop(must_go_on, iterate, state, parallel_iterations=1)[1]
    return x


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b)
