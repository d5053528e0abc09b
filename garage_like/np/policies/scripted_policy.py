"""Policies that follow a script: FixedPolicy and ScriptedPolicy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from garage_like.configuration.configured import Named
from garage_like.data.env_spec import EnvSpec, OfEnv


class FixedPolicy(Named, OfEnv):
    """Take given actions one after the other, whatever is observed; a new episode starts over.

    Args:
        env_spec: of the environment to act in.
        scripted_actions: at least as many as an episode is long.
        agent_infos: of each action, or a dict of arrays with a row for each; None for none.

    Raises:
        ValueError: if there are not as many infos as actions.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        scripted_actions: Sequence[Any],
        agent_infos: Sequence[dict[str, Any]] | Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.env_spec = env_spec
        self._actions = list(scripted_actions)
        if isinstance(agent_infos, Mapping):
            rows = range(len(next(iter(agent_infos.values()), self._actions)))
            agent_infos = [{key: rows_of[i] for key, rows_of in agent_infos.items()} for i in rows]
        self._infos = [{} for _ in self._actions] if agent_infos is None else list(agent_infos)
        if len(self._infos) != len(self._actions):
            raise ValueError(
                f"FixedPolicy: expected infos of {len(self._actions)} actions, got "
                f"{len(self._infos)}"
            )
        self._next = 0

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Begin with the first action again; it cannot act for several."""
        if do_resets is not None and np.size(do_resets) > 1:
            raise ValueError(f"FixedPolicy acts in one environment, got {np.size(do_resets)}")
        self._next = 0

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return the next action and its infos.

        Raises:
            IndexError: if there is none.
        """
        if self._next == len(self._actions):
            raise IndexError(f"FixedPolicy: all of its {self._next} actions have been taken")
        number, self._next = self._next, self._next + 1
        return self._actions[number], self._infos[number]

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the next action for one observation; it cannot act for several."""
        if len(observations) != 1:
            raise ValueError(f"FixedPolicy acts in one environment, got {len(observations)}")
        action, infos = self.get_action(observations[0])
        return np.asarray([action]), {key: np.asarray([value]) for key, value in infos.items()}

    def get_param_values(self) -> np.ndarray:
        """Return an empty vector: there are no weights."""
        return np.zeros(0, np.float32)

    def set_param_values(self, params: Any) -> None:
        """Do nothing."""


class ScriptedPolicy(Named):
    """Look the action up by the observation.

    Args:
        scripted_actions: by observation, a mapping or sequence; or a function of it.
        agent_env_infos: infos by observation; None for none.
    """

    def __init__(
        self,
        scripted_actions: Mapping[Any, Any] | Sequence[Any] | Callable[[Any], Any],
        agent_env_infos: Mapping[Any, dict[str, Any]] | None = None,
        name: str | None = None,
    ) -> None:
        self._actions = scripted_actions
        self._infos = agent_env_infos

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return the observation's action and its infos."""
        key = np.asarray(observation).item() if np.ndim(observation) == 0 else observation
        action = self._actions(key) if callable(self._actions) else self._actions[key]
        return action, {} if self._infos is None else self._infos[key]

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the actions of N observations, and their infos."""
        chosen = [self.get_action(np.asarray(observation)) for observation in observations]
        infos = {key: np.asarray([info[key] for _, info in chosen]) for key in chosen[0][1]}
        return np.asarray([action for action, _ in chosen]), infos

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: there is nothing to forget."""

    def get_param_values(self) -> np.ndarray:
        """Return an empty vector: there are no weights."""
        return np.zeros(0, np.float32)

    def set_param_values(self, params: Any) -> None:
        """Do nothing."""
