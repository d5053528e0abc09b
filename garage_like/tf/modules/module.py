"""Module: a plain object that owns tf.Variables."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from garage_like.configuration.configured import Named
from garage_like.configuration.garage_arguments import also_called
from garage_like.tf.quiet_import import tf

_CALL = "call it with observations, and it returns what it computes"
_SPEC = "env_spec tells what goes in and what comes out"
_OF_A_GRAPH = {
    **dict.fromkeys(("build", "output", "outputs", "q_vals"), _CALL),
    "distribution": "call the policy with observations, and it returns a distribution and infos",
    "dist_info": "get_actions returns what tells the distribution of each action",
    **dict.fromkeys(("input", "inputs"), _CALL),
    **dict.fromkeys(("network_input_spec", "network_output_spec"), _SPEC),
    "parameters": "get_param_values and variables return the weights",
}
"""What garage's networks in TensorFlow have, and what takes its place."""


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

    def get_param_values(self) -> np.ndarray:
        """Return a copy of all parameters as one vector, in the order of trainable_variables."""
        parts = [variable.numpy().reshape(-1) for variable in self.trainable_variables]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    @also_called(params="param_values")
    def set_param_values(self, params: Any) -> None:
        """Replace all parameters by those of a vector.

        Raises:
            ValueError: if the vector has another length than the policy has parameters.
        """
        vector, variables = np.asarray(params), self.trainable_variables
        expected = sum(math.prod(variable.shape) for variable in variables)
        if vector.shape != (expected,):
            raise ValueError(
                f"{type(self).__name__}.set_param_values: expected a vector of {expected} numbers "
                f"as get_param_values returns it, got shape {vector.shape}"
            )
        start = 0
        for variable in variables:
            stop = start + math.prod(variable.shape)
            variable.assign(vector[start:stop].reshape(variable.shape))
            start = stop

    def clone(self, name: str) -> Self:
        """Return a copy that shares nothing with this one.

        Args:
            name: what the copy is called.
        """
        copied = copy.deepcopy(self)
        vars(copied)["_name"] = name
        return copied

    # ---- by garage's names ------------------------------------------------------------------

    def get_trainable_vars(self) -> list[tf.Variable]:
        """Return `trainable_variables`."""
        return self.trainable_variables

    def get_params(self) -> list[tf.Variable]:
        """Return `trainable_variables`."""
        return self.trainable_variables

    def get_global_vars(self) -> list[tf.Variable]:
        """Return `variables`."""
        return self.variables

    def get_regularizable_vars(self) -> list[tf.Variable]:
        """Return the weights among `trainable_variables`: those that are no biases."""
        return [variable for variable in self.trainable_variables if len(variable.shape) > 1]

    def get_param_shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of `trainable_variables`."""
        return [tuple(variable.shape) for variable in self.trainable_variables]

    def flat_to_params(self, flattened_params: Any) -> list[np.ndarray]:
        """Cut a vector, as `get_param_values` returns it, into arrays of those shapes."""
        shapes = self.get_param_shapes()
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        parts = np.split(np.asarray(flattened_params), ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    @property
    def state_info_specs(self) -> list[Any]:
        """Nothing: what a policy remembers is no part of what it tells of an action."""
        return []

    @property
    def state_info_keys(self) -> list[str]:
        """Nothing: see `state_info_specs`."""
        return []

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: there is nothing that is remembered of an episode."""

    def terminate(self) -> None:
        """Do nothing: nothing is held open."""

    def __getattr__(self, name: str) -> Any:
        """Say what there is instead of garage's parts of a graph."""
        instead = _OF_A_GRAPH.get(name)
        hint = "" if instead is None else f": there is no graph; {instead}"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")


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
