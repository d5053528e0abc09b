"""LBFGSOptimizer: SciPy's L-BFGS on the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from garage_like.configuration.configured import Configured
from garage_like.tf.optimizers.flat_vectors import assign_flat, flat
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traces_of


class LBFGSOptimizer(Configured):
    """Minimise a smooth loss by its gradients and what they tell of its curvature.

    Byrd et al. 1995, as in SciPy. Keeps nothing from call to call.

    Args:
        module: whose `trainable_variables` it moves.
        max_optimization_epochs: iterations in one call; each takes one or a few gradients.

    Raises:
        ValueError: if `max_optimization_epochs` is not positive.
    """

    def __init__(self, module: Any, max_optimization_epochs: int = 20) -> None:
        if max_optimization_epochs < 1:
            raise ValueError(
                "LBFGSOptimizer: max_optimization_epochs must be at least 1, "
                f"got {max_optimization_epochs!r}"
            )
        self._variables = list(module.trainable_variables)
        self._max_optimization_epochs = max_optimization_epochs

    def minimize(self, loss: Callable[..., tf.Tensor], *tensors: Any) -> None:
        """Move the variables to where the loss is less.

        Args:
            loss: maps `tensors` to a scalar; a function or method that lives on, as its trace is
                kept for the next call.
            *tensors: each of S rows, or scalars, or tuples of tensors.
        """
        tensors = tf.nest.map_structure(tf.convert_to_tensor, tensors)
        self._search(loss, loss, self._vector(), *tensors)

    def _vector(self) -> np.ndarray:
        """Return the variables as they are, as SciPy takes them."""
        vector: np.ndarray = flat(self._variables, self._variables).numpy().astype(np.float64)
        return vector

    def _search(
        self,
        traced_by: Callable[..., Any],
        loss: Callable[..., tf.Tensor],
        start: np.ndarray,
        *tensors: Any,
    ) -> None:
        """Look for the least loss from a start on, and move the variables there.

        Args:
            traced_by: what the trace of the loss is kept by.
            loss: maps `tensors` to a scalar.
            start: all variables as one vector.
            *tensors: what the loss is of; numbers among them may differ from call to call.
        """
        from scipy.optimize import minimize

        evaluate = partial(self._evaluate, loss)

        def value_and_gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
            arguments = (vector.astype(np.float32), *tensors)
            value, gradient = traces_of(self).run(traced_by, evaluate, arguments)
            return float(value), gradient.numpy().astype(np.float64)

        found = minimize(
            value_and_gradient,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self._max_optimization_epochs},
        )
        self._assign(found.x)

    def _assign(self, vector: np.ndarray) -> None:
        assign_flat(self._variables, tf.constant(vector.astype(np.float32)))

    def _evaluate(
        self, loss: Callable[..., tf.Tensor], vector: tf.Tensor, *tensors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        assign_flat(self._variables, tf.ensure_shape(vector, [self._size()]))
        with tf.GradientTape() as tape:
            value = loss(*tensors)
        return value, flat(tape.gradient(value, self._variables), self._variables)

    def _size(self) -> int:
        return sum(int(np.prod(variable.shape)) for variable in self._variables)
