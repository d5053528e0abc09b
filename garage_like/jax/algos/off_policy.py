"""What DQN and SAC share: store what was collected, and learn from minibatches of all of it."""

from __future__ import annotations

import functools
from typing import Any, ClassVar, NamedTuple, TypedDict

import jax
import jax.numpy as jnp
import numpy as np

from garage_like.jax.algos.compiled_epochs import (
    CompiledEpochs,
    SeedsBy,
    check_positive,
)
from garage_like.jax.algos.env_copies import Learner
from garage_like.jax.algos.rows import episodes_of
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.policies.mlp_policies import MLPPolicy
from garage_like.jax.replay_memory import ReplayMemory


class Transitions(NamedTuple):
    """A minibatch, shape (B, ...).

    Attributes:
        observation: flat.
        action: as it was stored.
        reward: for the step.
        goes_on: 0 where the episode terminated, else 1.
        next_observation: flat; where the episode was cut off, its last.
    """

    observation: jax.Array
    action: jax.Array
    reward: jax.Array
    goes_on: jax.Array
    next_observation: jax.Array


class Counts(NamedTuple):
    """What all seeds have in common.

    Attributes:
        updates: before this one.
        slots: of the replay memory that were written before.
        begins: updates before the first that learns.
    """

    updates: Any
    slots: Any
    begins: Any


class OffPolicyOptions(TypedDict, total=False):
    """Arguments that DQN and SAC take; see OffPolicy."""

    num_envs: int
    num_steps: int
    gradient_steps_per_itr: int
    capacity_in_transitions: int
    min_buffer_size: int
    buffer_batch_size: int
    discount: float
    num_evaluation_episodes: int
    num_seeds: int
    seeds_by: SeedsBy
    num_devices: int
    name: str | None


class OffPolicy(CompiledEpochs):
    """Act, store, and take gradient steps on minibatches of what is stored, all in one program.

    An update is `num_steps` env steps in each of `num_envs` environments, then
    `gradient_steps_per_itr` gradient steps. Until `min_buffer_size` transitions are stored nothing
    is learned, and actions are random.

    Args:
        target_update_tau: how far the targets move to the online networks; 1 copies.
        gradient_steps_per_itr: gradient steps of an update.
        capacity_in_transitions: of the replay memory, which lies on the device.
        min_buffer_size: transitions that must be stored before the first gradient step.
        buffer_batch_size: transitions in a minibatch.
        num_evaluation_episodes: played after each epoch with the best action by the policy; 0
            evaluates nothing, and the row tells of the episodes that were trained on.
        num_seeds: runs that are trained side by side; see CompiledEpochs.
        seeds_by: `'vmap'` or `'map'`; see CompiledEpochs.
        num_devices: over how many devices the environments are spread; see CompiledEpochs.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the environment is none in JAX.
    """

    UPDATE_METRICS: ClassVar[tuple[str, ...]] = ()
    _TRAINED = CompiledEpochs._TRAINED | {
        "replay_memory",  # how large it is, its arrays tell
        "_updates_done",
        "_begins",
        "_gradient_steps",
    }

    def __init__(
        self,
        env: JaxEnv,
        policy: MLPPolicy,
        *,
        num_envs: int = 1,
        num_steps: int = 1,
        gradient_steps_per_itr: int = 1,
        capacity_in_transitions: int = 100_000,
        min_buffer_size: int = 1_000,
        buffer_batch_size: int = 128,
        discount: float = 0.99,
        target_update_tau: float,
        num_evaluation_episodes: int = 10,
        num_seeds: int = 1,
        seeds_by: SeedsBy = "vmap",
        num_devices: int = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(
            env,
            policy,
            num_envs=num_envs,
            num_steps=num_steps,
            discount=discount,
            num_seeds=num_seeds,
            seeds_by=seeds_by,
            num_devices=num_devices,
        )
        name = type(self).__name__
        for argument, count in (
            ("gradient_steps_per_itr", gradient_steps_per_itr),
            ("min_buffer_size", min_buffer_size),
            ("buffer_batch_size", buffer_batch_size),
        ):
            check_positive(name, argument, count)
        if not 0.0 < target_update_tau <= 1.0:
            raise ValueError(
                f"{name}: target_update_tau must lie in (0, 1], got {target_update_tau!r}"
            )
        if capacity_in_transitions < max(min_buffer_size, num_envs * num_steps):
            raise ValueError(
                f"{name}: capacity_in_transitions={capacity_in_transitions} has no room for"
                f" min_buffer_size={min_buffer_size}, or for {num_envs * num_steps} of an update"
            )
        if num_evaluation_episodes and env.spec.max_episode_length is None:
            raise ValueError(
                f"{name}: evaluation needs the longest episode: JaxEnv(…, max_episode_length=…), or"
                " num_evaluation_episodes=0"
            )
        self._gradient_steps_per_itr = gradient_steps_per_itr
        self._min_buffer_size = min_buffer_size
        self._buffer_batch_size = buffer_batch_size
        self._target_update_tau = target_update_tau
        self._num_evaluation_episodes = num_evaluation_episodes
        self.replay_memory = ReplayMemory(
            capacity_in_transitions // num_envs, axis=0 if num_seeds == 1 else 1
        )
        self._updates_done = self._begins = 0
        self._gradient_steps = 0

    # ---- what an algorithm says -------------------------------------------------------------

    def _explore(self, key: jax.Array, params: Any, observation: jax.Array, at: Any) -> jax.Array:
        """Return an action for each flat observation, shape (N, D), before update `at` + 1."""
        raise NotImplementedError(f"{type(self).__name__} must implement _explore")

    def _random(self, key: jax.Array) -> jax.Array:
        """Return any action for each environment."""
        raise NotImplementedError(f"{type(self).__name__} must implement _random")

    def _best(self, params: Any, observation: jax.Array) -> jax.Array:
        """Return the best action by the policy for each flat observation, shape (N, D)."""
        raise NotImplementedError(f"{type(self).__name__} must implement _best")

    def _gradient_step(
        self, key: jax.Array, params: Any, slots: Any, batch: Transitions
    ) -> tuple[Any, Any, dict[str, jax.Array]]:
        """Return weights and slots after a gradient step, and metrics."""
        raise NotImplementedError(f"{type(self).__name__} must implement _gradient_step")

    def _finish_update(self, params: Any, at: Any) -> Any:
        """Return weights after update number `at`, from 1 on: where targets move now and then."""
        return params

    # ---- an epoch ---------------------------------------------------------------------------

    def _epoch(self, learner: Learner, counts: Any, updates: int) -> tuple[Learner, dict[str, Any]]:
        update = functools.partial(self._update, counts)
        learner, metrics = jax.lax.scan(update, learner, jnp.arange(updates))
        if self._num_evaluation_episodes:
            key, evaluation_key = jax.random.split(learner.key)
            learner = learner._replace(key=key)
            act = functools.partial(self._best, learner.params)
            metrics["evaluation"] = self._play(evaluation_key, act, self._num_evaluation_episodes)
        return learner, metrics

    def _update(self, counts: Counts, learner: Learner, i: jax.Array) -> Any:
        at, slot = counts.updates + i, counts.slots + i * self._num_steps
        collect = functools.partial(self._collect, at, at < counts.begins)
        learner, episodes = jax.lax.scan(collect, learner, slot + jnp.arange(self._num_steps))
        key, learn_key = jax.random.split(learner.key)
        filled = jnp.minimum(slot + self._num_steps, self.replay_memory.slots) * self._num_envs
        learns = at >= counts.begins

        def gradient_step(state: Any, key: jax.Array) -> Any:
            rows_key, key = jax.random.split(key)
            rows = jax.random.randint(rows_key, (self._buffer_batch_size,), 0, filled)
            batch = self._minibatch(learner.memory, rows)
            params, slots, metrics = self._gradient_step(key, state[0], state[1], batch)
            return (params, slots), metrics

        def learn(state: Any) -> Any:
            keys = jax.random.split(learn_key, self._gradient_steps_per_itr)
            (params, slots), metrics = jax.lax.scan(gradient_step, state, keys)
            return (self._finish_update(params, at + 1), slots), jax.tree.map(jnp.mean, metrics)

        def wait(state: Any) -> Any:
            return state, dict.fromkeys(self.UPDATE_METRICS, jnp.zeros(()))

        before = learner.params, learner.slots
        (params, slots), metrics = jax.lax.cond(learns, learn, wait, before)
        learner = learner._replace(params=params, slots=slots, key=key)
        return learner, {**metrics, "learned": learns, "episodes": episodes}

    def _collect(self, at: Any, is_random: Any, learner: Learner, slot: jax.Array) -> Any:
        """Take one env step in every environment, and store it."""
        key, action_key, env_key = jax.random.split(learner.key, 3)
        observation = self._flat(learner.observation)
        action = jax.lax.cond(
            is_random,
            lambda: self._random(action_key),
            lambda: self._explore(action_key, learner.params, observation, at),
        )
        learner, moved, episode = self._step(learner._replace(key=key), env_key, action)
        stored = {
            "observation": observation,
            "action": action,
            "reward": moved.reward,
            "terminal": moved.terminated,
            "next_observation": self._flat(moved.final_observation),
        }
        place = slot % self.replay_memory.slots
        memory = {
            name: jax.lax.dynamic_update_index_in_dim(
                column, stored[name].astype(column.dtype), place, 0
            )
            for name, column in learner.memory.items()
        }
        ended = episodes_of(episode, moved.terminated, moved.truncated)
        return learner._replace(memory=memory), ended

    def _minibatch(self, memory: Any, rows: jax.Array) -> Transitions:
        """Return transitions by number: slot by slot, environment by environment."""
        slot, env = rows // self._num_envs, rows % self._num_envs
        found = {name: column[slot, env] for name, column in memory.items()}
        return Transitions(
            found["observation"],
            found["action"],
            found["reward"],
            1.0 - found["terminal"],
            found["next_observation"],
        )

    # ---- between epochs ---------------------------------------------------------------------

    def _take_learner(self) -> Learner:
        learner = self.learner
        shapes = functools.partial(jax.eval_shape, self._empty_memory, learner)
        return learner._replace(memory=self.replay_memory.take(shapes))

    def _empty_memory(self, learner: Learner) -> Any:
        def empty(learner: Learner) -> Any:
            observation = self._flat(learner.observation)
            action = self._random(learner.key)
            like = {
                "observation": observation,
                "action": action,
                "reward": jnp.zeros(self._num_envs),
                "terminal": jnp.zeros(self._num_envs, bool),
                "next_observation": observation,
            }
            return {
                name: jnp.zeros((self.replay_memory.slots, *x.shape), x.dtype)
                for name, x in like.items()
            }

        return empty(learner) if self._num_seeds == 1 else jax.vmap(empty)(learner)

    def _counts(self) -> Counts:
        memory = self.replay_memory
        missing = self._min_buffer_size - memory.written * self._num_envs
        if missing > 0:  # also after a restore without transitions
            self._begins = self._updates_done + max(0, -(-missing // self._steps_per_update) - 1)
        return Counts(*map(np.int32, (self._updates_done, memory.written, self._begins)))

    def _finish_epoch(self, learner: Learner, updates: int) -> Learner:
        self.replay_memory.put(learner.memory, updates * self._num_steps)
        learned_from = max(self._updates_done, self._begins)
        self._updates_done += updates
        learned = max(0, self._updates_done - learned_from)
        self._gradient_steps += learned * self._gradient_steps_per_itr
        return learner._replace(memory=None)

    def _others(self) -> dict[str, float]:
        memory = self.replay_memory
        return {
            "ReplayBuffer/Size": min(memory.written, memory.slots) * self._num_envs,
            "Learning/GradientSteps": self._gradient_steps,
            **self._rates(),
        }

    def _rates(self) -> dict[str, float]:
        """Return learning rates now, by their key in the log, and what exploration is at."""
        return {}


def rate_now(rate: Any, steps: int) -> float:
    """Return what a learning rate is after so many gradient steps; it may be optax's schedule."""
    return float(rate(steps) if callable(rate) else rate)
