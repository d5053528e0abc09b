"""What an environment in JAX is: two pure functions, as in gymnax."""

from __future__ import annotations

import abc
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Transition(NamedTuple):
    """What one env step yields; where the episode ended, the next one has begun.

    Attributes:
        observation: to act on next.
        state: of the environment.
        reward: for the step.
        terminated: whether the episode ended because of what happened in it.
        truncated: whether it was cut off.
        final_observation: what the step led to, before a new episode began; what values of a
            cut-off episode are bootstrapped from.
    """

    observation: Any
    state: Any
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array
    final_observation: Any


def transition(env: Any, key: jax.Array, state: Any, action: Any, params: Any) -> Transition:
    """Take one env step in an environment of gymnax's kind, which begins episodes by itself.

    An environment that tells its ends by one flag, or does not say which observation was the
    last, is taken to have ended for good: what follows a cut-off is not counted then.

    Raises:
        TypeError: if the step yields fewer or more than that.
    """
    observation, state, reward, *ends, info = env.step(key, state, action, params)
    if len(ends) not in (1, 2):
        raise TypeError(
            f"{type(env).__name__}.step: expected observation, state, reward, done, info, or"
            f" terminated and truncated instead of done; got {len(ends) + 4} values"
        )
    reward, ended = jnp.asarray(reward, float), jnp.asarray(ends[0], bool)
    truncated = jnp.asarray(ends[1], bool) if len(ends) > 1 else jnp.zeros_like(ended)
    final = info.get("final_observation") if isinstance(info, dict) else None
    if final is None:
        return Transition(
            observation,
            state,
            reward,
            ended | truncated,
            jnp.zeros_like(ended),
            observation,
        )
    return Transition(observation, state, reward, ended, truncated & ~ended, final)


class FunctionalEnv(abc.ABC):
    """Write an environment as pure functions: derive from this, and say how it begins and steps."""

    max_episode_length: int = 1000

    @property
    def default_params(self) -> Any:
        """Numbers of the environment that may be changed, a pytree."""
        return ()

    @abc.abstractmethod
    def observation_space(self, params: Any) -> Any:
        """Return the space of observations, gymnasium's."""

    @abc.abstractmethod
    def action_space(self, params: Any) -> Any:
        """Return the space of actions, gymnasium's."""

    @abc.abstractmethod
    def begin(self, key: jax.Array, params: Any) -> Any:
        """Return the state that an episode begins in."""

    @abc.abstractmethod
    def move(
        self, key: jax.Array, state: Any, action: Any, params: Any
    ) -> tuple[Any, jax.Array, jax.Array]:
        """Return the next state, the reward, and whether the episode ends by it."""

    @abc.abstractmethod
    def observe(self, state: Any, params: Any) -> jax.Array:
        """Return what is seen of a state."""

    def cut_off(self, state: Any) -> jax.Array | bool:
        """Tell whether an episode is cut off in a state, before `max_episode_length`."""
        return False

    def reset(self, key: jax.Array, params: Any) -> tuple[jax.Array, Any]:
        """Begin an episode; return the first observation and the state."""
        state = (self.begin(key, params), jnp.zeros((), jnp.int32))
        return self.observe(state[0], params), state

    def step(
        self, key: jax.Array, state: Any, action: Any, params: Any
    ) -> tuple[Any, Any, jax.Array, jax.Array, jax.Array, dict[str, Any]]:
        """Take an env step, and begin a new episode where one ends: as gymnax 1.0 does."""
        step_key, reset_key = jax.random.split(key)
        inner, reward, terminated = self.move(step_key, state[0], action, params)
        moved = (inner, state[1] + 1)
        is_late = (moved[1] >= self.max_episode_length) | self.cut_off(inner)
        truncated = is_late & ~terminated
        final = self.observe(inner, params)
        fresh, begun = self.reset(reset_key, params)
        ended = terminated | truncated

        def where_ended(new: Any, old: Any) -> Any:
            return old.where(ended, new) if _chooses(old) else jnp.where(ended, new, old)

        after = jax.tree.map(where_ended, begun, moved, is_leaf=_chooses)
        info = {"final_observation": final}
        return where_ended(fresh, final), after, reward, terminated, truncated, info


def check_types(begun: Any, moved: Any) -> None:
    """Raise unless a step yields arrays of the types that it was given, as loops in JAX need."""
    before, after = (
        [
            f"{jax.tree_util.keystr(path)}: {x.dtype}{list(x.shape)}"
            for path, x in jax.tree_util.tree_leaves_with_path(found)
        ]
        for found in (begun, moved)
    )
    if before != after:
        raise TypeError(
            "an environment's step must yield a state and an observation of the types that reset"
            f" yields; of all copies reset yields {[x for x in before if x not in after]}, step"
            f" {[x for x in after if x not in before]}"
        )


def shares_state(env: Any, params: Any) -> bool:
    """Tell whether copies of an environment that are stepped at once have state in common."""
    key = jax.random.key(0)
    _, alone = jax.eval_shape(env.reset, key, params)
    reset = jax.vmap(env.reset, (0, None))
    _, together = jax.eval_shape(reset, jax.random.split(key, 2), params)
    pairs = zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True)
    return any(one.ndim == both.ndim for one, both in pairs)


def _chooses(part: Any) -> bool:
    """Tell whether part of a state chooses by itself, as MJX's does: copies share some of it."""
    return hasattr(part, "where") and not isinstance(part, jax.Array)
