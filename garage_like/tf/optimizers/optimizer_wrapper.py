"""OptimizerWrapper: an optimizer, the module it moves, and how often it moves it."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.configuration.configured import Configured, changed_options
from garage_like.np.recurrent_inputs import RecurrentInputs
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traces_of

_COUNTS = ("max_optimization_epochs", "minibatch_size")


class OptimizerWrapper(Configured):
    """Take gradient steps on minibatches, all steps of an update in one trace.

    Args:
        optimizer: an optimizer class, or a pair of it and its keyword arguments, such as
            `(Adam, dict(lr=3e-4))`; ours, or a class of `tf.keras.optimizers`.
        module: whose `trainable_variables` it moves.
        max_optimization_epochs: passes over the data in one update.
        minibatch_size: rows for one gradient step; None takes all rows at once.

    Raises:
        TypeError: if `optimizer` is neither.
        ValueError: if a number is not positive.
    """

    def __init__(
        self,
        optimizer: Any,
        module: Any,
        max_optimization_epochs: int = 1,
        minibatch_size: int | None = None,
    ) -> None:
        optimizer_class, options = _split_spec(optimizer)
        if max_optimization_epochs < 1:
            raise ValueError(
                "OptimizerWrapper: max_optimization_epochs must be at least 1, "
                f"got {max_optimization_epochs!r}"
            )
        if minibatch_size is not None and minibatch_size < 1:
            raise ValueError(
                "OptimizerWrapper: minibatch_size must be at least 1, or None for all rows, "
                f"got {minibatch_size!r}"
            )
        self._variables = list(module.trainable_variables)
        if _is_keras(optimizer_class):
            self._optimizer = optimizer_class(**options)
            self._optimizer.build(self._variables)
        else:
            self._optimizer = optimizer_class(self._variables, **options)
        self._max_optimization_epochs = max_optimization_epochs
        self._minibatch_size = minibatch_size
        self._rng = seeding.stream(f"minibatches of {type(module).__name__}")

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Go on with another learning rate; slots stay. See `Configured`.

        Args:
            values: `optimizer` is a list of the same class and its keyword arguments.

        Raises:
            ValueError: if the class is another, or more than the rate would change.
        """
        others, options = dict(values), {}
        if "optimizer" in others:
            rates = dict.fromkeys(("lr", "learning_rate"))
            options = changed_options(others.pop("optimizer"), self._optimizer, rates)
        anyone = types.SimpleNamespace(trainable_variables=[tf.Variable(0.0)])
        counts = {name: others[name] for name in _COUNTS if name in others}
        OptimizerWrapper((type(self._optimizer), options), anyone, **counts)  # which checks them
        for rate in options.values():
            self._optimizer.learning_rate = rate
        super().change_arguments(others)

    @property
    def optimizer(self) -> Any:
        """The optimizer itself."""
        return self._optimizer

    @property
    def plan(self) -> tuple[int, int | None]:
        """Passes over the data in one update, and rows for one gradient step."""
        return self._max_optimization_epochs, self._minibatch_size

    @property
    def is_first_order(self) -> bool:
        """Whether the optimizer moves along gradients, as `minimize` needs it to."""
        optimizer_class = type(self._optimizer)
        return hasattr(optimizer_class, "apply") or _is_keras(optimizer_class)

    def orders(self, rows: int) -> np.ndarray:
        """Draw the order of rows for each pass of an update.

        Returns:
            Shape (passes, rows), int32; (passes, 0) if there are no minibatches.
        """
        passes, size = self._max_optimization_epochs, self._minibatch_size
        if size is None:
            return np.zeros((passes, 0), np.int32)
        orders = np.tile(np.arange(rows, dtype=np.int32), (passes, 1))
        return orders if size >= rows else self._rng.permuted(orders, axis=1)

    def minimize(self, loss: Callable[..., tf.Tensor], *tensors: Any) -> None:
        """Take one gradient step for each minibatch, as a graph.

        Args:
            loss: maps a minibatch of `tensors` to a scalar; a function or method that lives on, as
                its trace is kept for the next call.
            *tensors: each of S rows, or RecurrentInputs of S steps; the last one is a tensor.
        """
        orders = self.orders(len(tensors[-1]))
        traces_of(self).run(loss, partial(self.take_steps, loss), (orders, *tensors))

    def take_steps(
        self, loss: Callable[..., tf.Tensor], orders: tf.Tensor, *tensors: tf.Tensor
    ) -> None:
        """Take the steps of `minimize`, in rows' given orders; for use within a trace.

        Where the size of minibatches does not divide the rows, they differ by one row at most:
        none is a noisy remainder.

        Args:
            loss: maps a minibatch of `tensors` to a scalar.
            orders: from the method `orders`.
            *tensors: each of S rows, or RecurrentInputs of S steps.
        """
        passes, rows = tf.shape(orders)[0], tf.shape(orders)[1]
        size = self._minibatch_size or 1
        pieces = tf.maximum(1, -(-rows // size))

        def one_step(number: tf.Tensor) -> tuple[tf.Tensor]:
            index = number % pieces
            row = number // pieces
            larger = rows % pieces  # as many pieces have one row more, the first ones
            start = index * (rows // pieces) + tf.minimum(index, larger)
            stop = (index + 1) * (rows // pieces) + tf.minimum(index + 1, larger)
            chosen = orders[row, start:stop]
            self.take_step(loss, *(take_rows(tensor, chosen) for tensor in tensors))
            return (number + 1,)

        def whole_batch(number: tf.Tensor) -> tuple[tf.Tensor]:
            self.take_step(loss, *tensors)
            return (number + 1,)

        body = whole_batch if self._minibatch_size is None else one_step
        tf.while_loop(
            lambda number: number < passes * pieces, body, [tf.constant(0)], parallel_iterations=1
        )

    def take_step(self, loss: Callable[..., tf.Tensor], *tensors: tf.Tensor) -> None:
        """Move the variables once, along the gradient of a loss; for use within a trace."""
        with tf.GradientTape() as tape:
            value = loss(*tensors)
        gradients = tape.gradient(value, self._variables)
        if _is_keras(type(self._optimizer)):
            self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
        else:
            self._optimizer.apply(gradients)


def take_rows(tensor: Any, chosen: tf.Tensor) -> Any:
    """Return the chosen rows of a tensor; of recurrent inputs, the chosen steps.

    What leads up to these steps stays, as they depend on it.
    """
    if isinstance(tensor, RecurrentInputs):
        return tensor._replace(steps=tf.gather(tensor.steps, chosen))
    return tf.gather(tensor, chosen)


def _is_keras(optimizer_class: type) -> bool:
    return hasattr(optimizer_class, "apply_gradients")


def _split_spec(spec: Any) -> tuple[Any, dict[str, Any]]:
    """Tell the class from its keyword arguments."""
    optimizer_class, options = spec if isinstance(spec, tuple) and len(spec) == 2 else (spec, {})
    is_class = isinstance(optimizer_class, type) and (
        any(hasattr(optimizer_class, name) for name in ("apply", "apply_gradients", "step"))
    )
    if not is_class or not isinstance(options, Mapping):
        raise TypeError(
            "OptimizerWrapper: optimizer must be an optimizer class, such as"
            " garage_like.tf.optimizers.Adam, or a pair (class, dict of keyword arguments),"
            f" got {spec!r}"
        )
    return optimizer_class, dict(options)
