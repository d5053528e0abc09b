"""Environments of brax, MuJoCo Playground, navix and jumanji as the pure functions of gymnax.

None of these is loaded here: whose an environment is, its class says.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from garage_like.jax.envs.functional import FunctionalEnv


class LibraryEnv(FunctionalEnv):
    """Step an environment of a library, which is told apart by its class.

    Observations become one array: of several, those that are called `state`, or all of them flat.

    Args:
        env: of the library.
        max_episode_length: env steps after which an episode is cut off; None: as the library does.
    """

    longest: tuple[str, ...] = ()
    """Attributes of the environment in which the longest episode may stand."""

    def __init__(self, env: Any, max_episode_length: int | None = None) -> None:
        self.env = env
        told = (_attribute(env, path) for path in self.longest)
        found = max_episode_length or next((length for length in told if length), None)
        self.max_episode_length = int(found or type(self).max_episode_length)

    def begin(self, key: jax.Array, params: Any) -> Any:
        return self.env.reset(key)

    def observe(self, state: Any, params: Any) -> jax.Array:
        return _as_array(self._seen(state))

    def observation_space(self, params: Any) -> gymnasium.Space:
        """Return an unbounded Box of the shape that observations have."""
        shape = jax.eval_shape(lambda key: self.reset(key, params)[0], jax.random.key(0)).shape
        return gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)

    @abc.abstractmethod
    def _seen(self, state: Any) -> Any:
        """Return the library's observation."""


class BraxEnv(LibraryEnv):
    """Step an environment of brax or of MuJoCo Playground: `reset(key)`, `step(state, action)`."""

    longest = ("episode_length", "_config.episode_length")

    def action_space(self, params: Any) -> gymnasium.Space:
        """Return a Box from -1 to 1."""
        return gymnasium.spaces.Box(-1.0, 1.0, (self.env.action_size,), np.float32)

    def move(self, key: jax.Array, state: Any, action: Any, params: Any) -> Any:
        """Take a step; `done` is for good, since only wrappers cut episodes off."""
        state = self.env.step(state, jnp.clip(action, -1.0, 1.0))
        return state, state.reward, state.done.astype(bool)

    def _seen(self, state: Any) -> Any:
        return state.obs


class NavixEnv(LibraryEnv):
    """Step an environment of navix, whose state is a time step."""

    longest = ("max_steps",)

    def action_space(self, params: Any) -> gymnasium.Space:
        """Return how many actions there are."""
        return gymnasium.spaces.Discrete(int(self.env.action_space.n))

    def move(self, key: jax.Array, state: Any, action: Any, params: Any) -> Any:
        state = self.env.step(state, action)
        return state, jnp.float32(state.reward), state.is_termination()

    def cut_off(self, state: Any) -> jax.Array:
        truncated: jax.Array = state.is_truncation()
        return truncated

    def _seen(self, state: Any) -> Any:
        return state.observation


class JumanjiEnv(LibraryEnv):
    """Step an environment of jumanji; the state is its own and the time step."""

    longest = ("time_limit",)

    def action_space(self, params: Any) -> gymnasium.Space:
        """Return how many actions there are, or the Box that they are in."""
        spec = self.env.action_spec
        if isinstance(getattr(spec, "num_values", None), int):
            return gymnasium.spaces.Discrete(spec.num_values)
        if getattr(spec, "num_values", None) is None and hasattr(spec, "minimum"):
            low, high = (np.broadcast_to(x, spec.shape) for x in (spec.minimum, spec.maximum))
            return gymnasium.spaces.Box(low.astype(np.float32), high.astype(np.float32))
        raise TypeError(
            f"JaxEnv: expected one discrete action or a Box, got {spec!r}; wrap the environment so"
            " that one number says the action"
        )

    def move(self, key: jax.Array, state: Any, action: Any, params: Any) -> Any:
        """Take a step; where nothing follows, the discount is 0."""
        state = self.env.step(state[0], action)
        is_over = state[1].last() & (state[1].discount == 0.0)
        return state, jnp.float32(state[1].reward), is_over

    def cut_off(self, state: Any) -> jax.Array:
        is_last: jax.Array = state[1].last()
        return is_last

    def _seen(self, state: Any) -> Any:
        return state[1].observation


_ADAPTERS: Mapping[str, Callable[..., LibraryEnv]] = {
    "brax": BraxEnv,
    "mujoco_playground": BraxEnv,
    "navix": NavixEnv,
    "jumanji": JumanjiEnv,
}


def functions_of(env: Any, max_episode_length: int | None = None) -> Any:
    """Return an environment as pure functions: itself, if it is of gymnax's kind."""
    packages = {base.__module__.partition(".")[0] for base in type(env).__mro__}
    for package, adapter in _ADAPTERS.items():
        if package in packages:
            return adapter(env, max_episode_length)
    return env


def _attribute(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = getattr(value, name, None)
    return value if isinstance(value, int | np.integer) else None


def _as_array(observation: Any) -> jax.Array:
    if isinstance(observation, Mapping) and "state" in observation:
        observation = observation["state"]
    leaves = jax.tree.leaves(observation)
    if len(leaves) == 1:
        return jnp.asarray(leaves[0], jnp.float32)
    return jnp.concatenate([jnp.ravel(leaf).astype(jnp.float32) for leaf in leaves])
