"""Copies of an environment, begun and stepped side by side under `vmap`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from garage_like.interfaces import RLAlgorithm
from garage_like.jax.envs.functional import Transition, check_types, transition
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.policies.mlp_policies import MLPPolicy

BEGUN = np.array([0.0, 0.0, 1.0, 0.0])
"""What `Learner.episode` is when an episode begins."""


class Learner(NamedTuple):
    """All state of a run, a pytree; with many seeds, each array has one more axis in front.

    Attributes:
        params: weights.
        slots: of the optimizers.
        env_state: of each environment.
        observation: what each environment shows.
        episode: of each environment's episode under way: return, discounted return, discount of
            the next reward, env steps.
        key: what is drawn from next.
        memory: transitions, if any are kept; a snapshot has them in a table of their own.
    """

    params: Any
    slots: Any
    env_state: Any
    observation: jax.Array
    episode: jax.Array
    key: jax.Array
    memory: Any = None


class EnvCopies(RLAlgorithm):
    """Begin, step and play copies of an environment, and count how their episodes stand."""

    policy: MLPPolicy
    _env: JaxEnv
    _discount: float

    def _begin(self, key: jax.Array, count: int) -> tuple[jax.Array, Any]:
        """Begin an episode in each of some environments; return observations and states."""
        reset = jax.vmap(self._env.functions.reset, (0, None))
        observation, state = reset(jax.random.split(key, count), self._env.params)
        space = self._env.observation_space
        shape = getattr(observation, "shape", (count, None))[1:]
        if shape != space.shape:
            raise TypeError(
                f"{type(self).__name__}: expected observations as one array of the shape that"
                f" {space} says, got {jax.tree.map(jnp.shape, observation)} from reset of"
                f" {count} environments; make one array of them there"
            )
        return observation, state

    def _move(self, key: jax.Array, state: Any, action: jax.Array) -> Transition:
        """Take one env step in each of some environments."""
        if not self._env.spec.is_discrete:
            action = action.reshape(len(action), *(self._env.action_space.shape or ()))
        step = jax.vmap(functools.partial(transition, self._env.functions), (0, 0, 0, None))
        keys = jax.random.split(key, len(action))
        found: Transition = step(keys, state, action, self._env.params)
        return found

    def _step(
        self, learner: Learner, key: jax.Array, action: jax.Array
    ) -> tuple[Learner, Transition, jax.Array]:
        """Take one env step in every environment.

        Returns:
            The learner, what happened, and how the episodes stood then, see `Learner.episode`.
        """
        moved = self._move(key, learner.env_state, action)
        check_types(
            {"state": learner.env_state, "observation": learner.observation},
            {"state": moved.state, "observation": moved.observation},
        )
        total, discounted, factor, count = learner.episode.T
        episode = jnp.stack(
            [
                total + moved.reward,
                discounted + factor * moved.reward,
                factor * self._discount,
                count + 1.0,
            ],
            1,
        )
        ended = (moved.terminated | moved.truncated)[:, None]
        learner = learner._replace(
            env_state=moved.state,
            observation=moved.observation,
            episode=jnp.where(ended, BEGUN, episode),
        )
        return learner, moved, episode

    def _play(self, key: jax.Array, act: Callable[[jax.Array], jax.Array], count: int) -> Any:
        """Play whole episodes; return what a row is made of, see `EpochRows`.

        Args:
            key: what is drawn from.
            act: returns an action for each flat observation, shape (N, D).
            count: how many.
        """
        longest = self._env.spec.max_episode_length
        begin_key, key = jax.random.split(key)
        observation, state = self._begin(begin_key, count)
        nothing = jnp.zeros(count)

        def goes_on(carry: Any) -> jax.Array:
            return ~carry[3].all() & (carry[4] < longest)

        def step(carry: Any) -> Any:
            observation, state, (total, discounted, length, was_terminal), over, i = carry
            action = act(self._flat(observation))
            moved = self._move(jax.random.fold_in(key, i), state, action)
            reward = jnp.where(over, 0.0, moved.reward)
            episode = (
                total + reward,
                discounted + self._discount**i * reward,
                length + ~over,
                was_terminal | (moved.terminated & ~over),
            )
            over = over | moved.terminated | moved.truncated
            return moved.observation, moved.state, episode, over, i + 1

        over = jnp.zeros(count, bool)
        episode = nothing, nothing, nothing, over
        begun = observation, state, episode, over, jnp.zeros((), jnp.int32)
        _, _, (total, discounted, length, terminated), _, _ = jax.lax.while_loop(
            goes_on, step, begun
        )
        return jnp.ones(count, bool), total, discounted, length, terminated

    def _flat(self, observation: jax.Array) -> jax.Array:
        """Flatten observations, shape (..., O*), to shape (..., D)."""
        space = self._env.observation_space
        if isinstance(space, gymnasium.spaces.Discrete):
            return jax.nn.one_hot(observation - space.start, space.n)
        lead = observation.shape[: observation.ndim - len(space.shape or ())]
        return observation.reshape(*lead, self.policy.sizes[0])
