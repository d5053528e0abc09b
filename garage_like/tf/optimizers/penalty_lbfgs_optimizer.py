"""PenaltyLBFGSOptimizer: L-BFGS within a trust region, by a penalty for leaving it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from garage_like.tf.optimizers.lbfgs_optimizer import LBFGSOptimizer
from garage_like.tf.quiet_import import tf

_LEAST, _MOST = 1e-2, 1e6
_MAX_HALVINGS = 30


class PenaltyLBFGSOptimizer(LBFGSOptimizer):
    """Minimise a loss plus a penalty times how far a constraint is from 0.

    The penalty is doubled until the constraint holds, and halved for the next call where it held at
    once (Nocedal and Wright 2006, section 17.1). It goes on from call to call.

    Args:
        max_constraint_value: what the constraint must not exceed.
        max_optimization_epochs: iterations with one penalty; each takes one or a few gradients.
        initial_penalty: what the first call begins with.
        max_penalty_itr: penalties tried in one call; where none is enough, the last step is halved
            until the constraint holds.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        module: Any,
        max_constraint_value: float = 0.01,
        max_optimization_epochs: int = 20,
        initial_penalty: float = 1.0,
        max_penalty_itr: int = 10,
    ) -> None:
        super().__init__(module, max_optimization_epochs)
        if not max_constraint_value > 0.0 or not initial_penalty > 0.0 or max_penalty_itr < 1:
            raise ValueError(
                "PenaltyLBFGSOptimizer: max_constraint_value and initial_penalty must be positive,"
                f" max_penalty_itr at least 1; got {max_constraint_value!r}, {initial_penalty!r}"
                f" and {max_penalty_itr!r}"
            )
        self._max_constraint_value = max_constraint_value
        self._penalty = initial_penalty
        self._max_penalty_itr = max_penalty_itr

    def minimize_within(
        self, losses: Callable[..., tuple[tf.Tensor, tf.Tensor]], *tensors: Any
    ) -> None:
        """Move the variables to where the loss is less and the constraint holds.

        Args:
            losses: maps `tensors` to the loss and the constraint, scalars; a function or method
                that lives on.
            *tensors: each of S rows.
        """
        tensors = tf.nest.map_structure(tf.convert_to_tensor, tensors)
        start = self._vector()
        for attempt in range(self._max_penalty_itr):
            penalty = tf.constant(self._penalty, tf.float32)
            self._search(losses, partial(self._penalized, losses), start, penalty, *tensors)
            if self._is_within(losses, tensors):
                if attempt == 0:
                    self._penalty = max(0.5 * self._penalty, _LEAST)
                return
            self._penalty = min(2.0 * self._penalty, _MOST)
        step = self._vector() - start
        for halvings in range(1, _MAX_HALVINGS):
            self._assign(start + 0.5**halvings * step)
            if self._is_within(losses, tensors):
                return
        self._assign(start)

    def _is_within(self, losses: Callable[..., tuple[tf.Tensor, tf.Tensor]], tensors: Any) -> bool:
        """Tell whether the constraint holds where the variables are."""
        return bool(losses(*tensors)[1] <= self._max_constraint_value)

    @staticmethod
    def _penalized(
        losses: Callable[..., tuple[tf.Tensor, tf.Tensor]], penalty: tf.Tensor, *tensors: tf.Tensor
    ) -> tf.Tensor:
        loss, constraint = losses(*tensors)
        return loss + penalty * constraint
