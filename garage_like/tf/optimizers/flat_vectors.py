"""All variables of a network as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from garage_like.tf.quiet_import import tf


def flat(tensors: Iterable[tf.Tensor | None], variables: Sequence[tf.Variable]) -> tf.Tensor:
    """Join tensors into one vector, zeros where a variable has none.

    Args:
        tensors: for each variable its gradient, None if it plays no part, or the variable itself.
        variables: what they belong to.
    """
    parts = [
        tf.zeros([math.prod(variable.shape)], variable.dtype)
        if tensor is None
        else tf.reshape(tensor, [-1])
        for tensor, variable in zip(tensors, variables, strict=True)
    ]
    return tf.concat(parts, 0)


def split(vector: tf.Tensor, variables: Sequence[tf.Variable]) -> list[tf.Tensor]:
    """Cut a vector into tensors of the variables' shapes."""
    sizes = [math.prod(variable.shape) for variable in variables]
    parts = tf.split(vector, sizes)
    return [tf.reshape(part, v.shape) for part, v in zip(parts, variables, strict=True)]


def assign_flat(variables: Sequence[tf.Variable], vector: tf.Tensor) -> None:
    """Set variables to the parts of a vector."""
    for variable, part in zip(variables, split(vector, variables), strict=True):
        variable.assign(part)
