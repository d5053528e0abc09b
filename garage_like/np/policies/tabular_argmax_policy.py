"""TabularArgmaxPolicy: the action that a table values most."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.configuration.configured import Configured
from garage_like.data.env_spec import EnvSpec
from garage_like.np.q_functions.tabular_q_function import TabularQFunction


class TabularArgmaxPolicy(Configured):
    """Take the best action by a table, any of them where several are equally good.

    Args:
        qf: the table, shared with whoever trains it.
        env_spec: of the environment to act in.
    """

    def __init__(self, qf: TabularQFunction, env_spec: EnvSpec) -> None:
        self._qf = qf
        self._env_spec = env_spec
        self._rng = seeding.stream("tabular policy")

    @property
    def env_spec(self) -> EnvSpec:
        """The environment to act in."""
        return self._env_spec

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions, shape (N,), for observations of shape (N,); `rng` breaks ties."""
        values = self._qf(observations)
        best = values == values.max(axis=1, keepdims=True)
        return (best * (1.0 - rng.random(values.shape))).argmax(axis=1), {}

    def actor(self) -> TabularArgmaxPolicy:
        """Return itself: it acts in NumPy."""
        return self

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action for one observation."""
        return self.get_actions(np.asarray(observation)[None])[0][0], {}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions, ties broken by the policy's own generator."""
        return self.act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: this policy remembers nothing of an episode."""

    def get_param_values(self) -> np.ndarray:
        """Return a copy of the table as one vector."""
        return self._qf.table.reshape(-1).copy()

    def set_param_values(self, params: Any) -> None:
        """Replace the table.

        Raises:
            ValueError: if the vector has another length.
        """
        vector = np.asarray(params, np.float64)
        if vector.shape != (self._qf.table.size,):
            raise ValueError(
                f"TabularArgmaxPolicy.set_param_values: expected a vector of {self._qf.table.size} "
                f"numbers as get_param_values returns it, got shape {vector.shape}"
            )
        self._qf.table[...] = vector.reshape(self._qf.table.shape)
