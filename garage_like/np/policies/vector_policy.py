"""VectorPolicy: a policy in NumPy whose parameters are one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.configuration.configured import Named
from garage_like.data.env_spec import EnvSpec, OfEnv
from garage_like.interfaces import Actor
from garage_like.np import mlp

Nonlinearity = str | Callable[..., Any] | None
"""A name in `garage_like.np.mlp.ACTIVATIONS`, np.tanh, or a function that works in place."""


class VectorPolicy(Named, OfEnv):
    """Keep the parameters of a multi-layer perceptron, and `num_extra` more, in one vector.

    A subclass implements `actor`.

    Args:
        env_spec: of the environment to act in.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: its name, or np.tanh.
        num_extra: parameters that follow those of the perceptron.

    Raises:
        ValueError: if a hidden size is no positive integer, or the nonlinearity is unknown.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = np.tanh,
        num_extra: int = 0,
        name: str | None = None,
    ) -> None:
        self._env_spec = env_spec
        self._sizes = mlp.layer_sizes(env_spec.observation_dim, hidden_sizes, env_spec.action_dim)
        self._activation = find_activation(hidden_nonlinearity)
        self._num_weights = mlp.num_params(self._sizes)
        self._rng = seeding.stream("policy")
        # Layers are cut out of this vector when they are needed: views of an array that is kept
        # beside them would come back from a pickle as copies.
        self._params = np.zeros(self._num_weights + num_extra, np.float32)
        fill_uniformly(self._layers(), seeding.stream("initial weights"))

    @property
    def env_spec(self) -> EnvSpec:
        """The environment that this policy was made for."""
        return self._env_spec

    def actor(self) -> Actor:
        """Return what acts on the current parameters, with noise from its caller's generator."""
        raise NotImplementedError(f"{type(self).__name__} must implement actor")

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (O*,)."""
        actions, infos = self.get_actions(np.asarray(observation)[None])
        return actions[0], {key: value[0] for key, value in infos.items()}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, drawn from the policy's own generator."""
        return self.actor().act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: this policy remembers nothing of an episode."""

    def get_param_values(self) -> np.ndarray:
        """Return a copy of all parameters, shape (P,), float32."""
        return self._params.copy()

    def set_param_values(self, params: Any) -> None:
        """Replace all parameters, shape (P,).

        Raises:
            ValueError: if there are not as many as the policy has.
        """
        vector = np.asarray(params)
        if vector.shape != self._params.shape:
            raise ValueError(
                f"{type(self).__name__}.set_param_values: expected a vector of "
                f"{len(self._params)} numbers as get_param_values returns it, "
                f"got shape {vector.shape}"
            )
        self._params[:] = vector

    def _layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return mlp.split_layers(self._params[: self._num_weights], self._sizes)

    def _network(self) -> mlp.MLP:
        return mlp.MLP(self._layers(), self._activation)


def find_activation(nonlinearity: Nonlinearity) -> mlp.Activation:
    """Return the function that applies a nonlinearity in place."""
    if nonlinearity is None:
        return mlp.identity
    if nonlinearity is np.tanh:
        return mlp.tanh
    if callable(nonlinearity):
        return nonlinearity
    if nonlinearity not in mlp.ACTIVATIONS:
        raise ValueError(
            f"hidden_nonlinearity must be one of {', '.join(mlp.ACTIVATIONS)}, np.tanh or None, "
            f"got {nonlinearity!r}"
        )
    return mlp.ACTIVATIONS[nonlinearity]


def fill_uniformly(
    layers: Sequence[tuple[np.ndarray, np.ndarray]], rng: np.random.Generator
) -> None:
    """Draw weights so that signals keep their variance; biases stay as they are.

    Glorot and Bengio 2010, equation 16.
    """
    for weight, _ in layers:
        bound = np.sqrt(6.0 / sum(weight.shape))
        weight[:] = rng.uniform(-bound, bound, weight.shape)
