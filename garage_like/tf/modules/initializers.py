"""What weights start as: arrays drawn in NumPy, so that they follow the run's seed alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.tf.quiet_import import tf

Initializer = Callable[[tuple[int, ...]], Any]
"""Maps a shape to an array or tensor of it; those of `tf.keras.initializers` do as well."""


def weight_stream() -> np.random.Generator:
    """Return a generator for one array of weights: another one each time.

    Its number comes from NumPy's global generator, which `set_seed` seeds and snapshots hold: so
    two networks of one shape differ, and a network made after a resume is the one that would have
    been made.
    """
    return seeding.stream("weights", int(np.random.randint(2**31)))


def xavier_uniform(shape: tuple[int, ...]) -> np.ndarray:
    """Draw uniformly from [-b, b] with b = sqrt(6 / (fan_in + fan_out)) (Glorot, Bengio 2010).

    Args:
        shape: (inputs, outputs), or (height, width, inputs, outputs) of a convolution.
    """
    field = math.prod(shape[:-2])
    bound = math.sqrt(6.0 / (field * (shape[-2] + shape[-1])))
    return weight_stream().uniform(-bound, bound, shape).astype(np.float32)


def zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros."""
    return np.zeros(shape, np.float32)


def make_variable(
    initializer: Initializer, shape: tuple[int, ...], name: str, trainable: bool = True
) -> tf.Variable:
    """Make a float32 variable.

    Raises:
        ValueError: if the initializer gives another shape.
    """
    value = np.asarray(initializer(shape), np.float32)
    if value.shape != shape:
        raise ValueError(
            f"an initializer of {name} must return shape {shape}, got {value.shape} from"
            f" {initializer!r}"
        )
    return tf.Variable(value, name=name, trainable=trainable)


def as_array(value: tf.Variable | tf.Tensor) -> np.ndarray:
    """Return a copy of a value; of a variable's, in a quarter of the time of its method `numpy`."""
    if isinstance(value, tf.Variable):
        value = tf.raw_ops.ReadVariableOp(resource=value.handle, dtype=value.dtype)
    array: np.ndarray = value.numpy()
    return array
