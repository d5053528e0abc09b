"""Module: a plain object that owns tf.Variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from garage_like.configuration.configured import Named
from garage_like.tf.quiet_import import tf


class Module(Named):
    """Own variables: those among its attributes, and those of modules among its attributes.

    A tf.Module or Keras model may be an attribute too. Lists, tuples and dicts are looked into.
    """

    @property
    def variables(self) -> list[tf.Variable]:
        """All variables, each once, in the order in which attributes were set."""
        return list({id(v): v for v in _variables_in(vars(self).values())}.values())

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """The variables that optimizers move."""
        return [variable for variable in self.variables if variable.trainable]


def _variables_in(values: Any) -> Iterator[tf.Variable]:
    for value in values:
        if isinstance(value, tf.Variable):
            yield value
        elif isinstance(value, Module | tf.Module) or _is_keras_layer(value):
            yield from (getattr(v, "value", v) if _is_keras(v) else v for v in value.variables)
        elif isinstance(value, list | tuple):
            yield from _variables_in(value)
        elif isinstance(value, dict):
            yield from _variables_in(value.values())


def _is_keras(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "keras"


def _is_keras_layer(value: Any) -> bool:
    return any(cls.__module__.split(".")[0] == "keras" for cls in type(value).__mro__) and hasattr(
        value, "trainable_variables"
    )
