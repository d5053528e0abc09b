"""JaxEnv: an environment in JAX as the trainer, evaluation and `play` see it."""

from __future__ import annotations

import weakref
from typing import Any

import gymnasium
import jax
import numpy as np

from garage_like import seeding
from garage_like.data.batches import EnvStep, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Environment
from garage_like.jax.envs.functional import transition
from garage_like.jax.envs.libraries import functions_of

# Compiled again whenever it is not there, so it is no part of an environment's state.
_COMPILED: weakref.WeakKeyDictionary[JaxEnv, Any] = weakref.WeakKeyDictionary()

_NEEDED = ("reset", "step", "observation_space", "action_space")


class JaxEnv(Environment):
    """Step one environment that is a pair of pure functions.

    Algorithms in `garage_like.jax` step copies of the functions, many at once, and keep the states
    themselves; what is stepped here is for evaluation and for watching.

    Args:
        env: has `reset(key, params)` and `step(key, state, action, params)` as those of gymnax
            have, and spaces, gymnasium's or alike; or an environment of brax, MuJoCo Playground,
            navix or jumanji.
        params: of the environment, a pytree; None: its `default_params`, if it has some.
        max_episode_length: env steps after which evaluation cuts an episode off; None: what the
            environment says.

    Raises:
        TypeError: if it is no such environment.
    """

    def __init__(self, env: Any, params: Any = None, max_episode_length: int | None = None) -> None:
        self.functions = env = functions_of(env, max_episode_length)
        if isinstance(env, type) or not all(callable(getattr(env, name, None)) for name in _NEEDED):
            raise TypeError(
                "JaxEnv: expected an object with reset(key, params), step(key, state, action,"
                f" params), observation_space(params) and action_space(params), got {env!r}"
            )
        self.params = getattr(env, "default_params", None) if params is None else params
        longest = max_episode_length
        if longest is None:
            longest = getattr(
                env,
                "max_episode_length",
                getattr(self.params, "max_steps_in_episode", None),
            )
        self._spec = EnvSpec(
            _space(env.observation_space(self.params)),
            _space(env.action_space(self.params)),
            longest,
        )
        self._rng = seeding.stream("jax env")
        self._state: Any = None
        self._step_count = 0
        self.needs_reset = True

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    @property
    def _stepping(self) -> Any:
        found = _COMPILED.get(self)
        if found is None:

            def step(key: jax.Array, state: Any, action: Any, params: Any) -> Any:
                return transition(self.functions, key, state, action, params)

            found = _COMPILED[self] = jax.jit(self.functions.reset), jax.jit(step)
        return found

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; a seed is what keys are drawn from."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        observation, self._state = self._stepping[0](self._key(), self.params)
        self._step_count, self.needs_reset = 0, False
        return np.array(observation), {}

    def step(self, action: Any) -> EnvStep:
        """Take one env step.

        Raises:
            RuntimeError: if there is no episode to continue.
        """
        if self.needs_reset:
            raise RuntimeError(
                "JaxEnv.step: there is no episode to continue (none was begun, or the last one has"
                " ended); call reset() first"
            )
        found = self._stepping[1](self._key(), self._state, np.asarray(action), self.params)
        self._state = found.state
        self._step_count += 1
        step_type = StepType.get_step_type(
            self._step_count,
            self._spec.max_episode_length,
            bool(found.terminated),
            bool(found.truncated),
        )
        self.needs_reset = step_type >= StepType.TERMINAL
        return EnvStep(
            env_spec=self._spec,
            action=action,
            reward=float(found.reward),
            observation=np.array(found.final_observation),
            env_info={},
            step_type=step_type,
        )

    def _key(self) -> jax.Array:
        return jax.random.key(int(self._rng.integers(2**31)))


def _space(space: Any) -> gymnasium.Space:
    """Return gymnasium's space that is like one of gymnax."""
    if isinstance(space, gymnasium.Space):
        return space
    if hasattr(space, "n"):
        return gymnasium.spaces.Discrete(int(space.n))
    if hasattr(space, "low"):
        low, high = (np.broadcast_to(bound, space.shape) for bound in (space.low, space.high))
        return gymnasium.spaces.Box(low.astype(np.float32), high.astype(np.float32))
    raise TypeError(f"JaxEnv: expected a space with n, or with low, high and shape; got {space!r}")
