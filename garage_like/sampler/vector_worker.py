"""VectorWorker: one decision and one step for all environments, where they come as one."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Unpack

import numpy as np

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch
from garage_like.interfaces import Environment, VectorEnvironment
from garage_like.sampler.fragment_worker import FragmentWorker
from garage_like.sampler.framework_actor import actor_of, give_memory
from garage_like.sampler.vec_worker import VecWorkerOptions
from garage_like.sampler.vector_rollout import SoFar, VectorRollout

FEWEST = 4
"""Below so many environments, stepping one after the other is quicker than stepping arrays."""


class VectorWorker(FragmentWorker):
    """Collect fragments of episodes from N environments that are stepped at once.

    It is a FragmentWorker, but for how it steps: a vector environment that GymEnv was given
    (`gymnasium.make_vec`), or the form that gymnasium has of an environment and that steps N of
    them in arrays (`CartPole-v1`), from 4 on. All else it steps one after the other.

    Infos of an episode are what the worker itself reports: `EpisodeReturn`, `EpisodeLength`, and of
    a recurrent policy `Memory`.

    Args:
        n_threads: threads that step and reset them, where they are stepped one after the other, for
            environments that wait. The bits are those of one; environments must share nothing that
            changes.
    """

    def __init__(
        self,
        *,
        n_envs: int = 8,
        **options: Unpack[VecWorkerOptions],
    ) -> None:
        super().__init__(n_envs=n_envs, timesteps_per_call=1, **options)
        self._vector: VectorEnvironment | None = None
        self._so_far: SoFar | None = None
        self._rollout = VectorRollout()

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: all but arrays that are filled again in each call."""
        return {**super().__getstate__(), "_rollout": VectorRollout()}

    @property
    def vector_env(self) -> VectorEnvironment | None:
        """What is stepped at once; None if environments are stepped one after the other."""
        return self._vector

    def update_env(self, env_update: Any) -> None:
        """Change the environment; episodes that go on over calls are given up.

        Raises:
            ValueError: if it is a vector environment of another number, or one whose episodes are
                longer than the worker's are to be.
        """
        if env_update is None:
            return
        if self._vector is not None and not isinstance(env_update, Environment):
            env_update = env_update(self._envs[0])
        found = None
        if isinstance(env_update, Environment):
            found = self._vector_of(env_update)
        if found is None and self._vector is None:
            super().update_env(env_update)
            return
        self._env_generation += bool(self._envs)
        self._never_reset = [True] * self._n_envs
        self._envs, self._vector = [], found
        if found is None:
            super().update_env(env_update)
        else:
            self._envs = [env_update]
            self._abandon_episodes()

    def _vector_of(self, env: Environment) -> VectorEnvironment | None:
        if env.n_envs == 1 and self._n_envs < FEWEST:
            return None
        limit = env.spec.max_episode_length
        if self._max_episode_length is not None:
            limit = min(limit or self._max_episode_length, self._max_episode_length)
        found = env.vector_form(self._n_envs, limit)
        if found is None and env.n_envs > 1:
            raise ValueError(
                f"VectorWorker: {type(env).__name__} has no form that steps {self._n_envs} "
                "environments at once; use gymnasium's own wrappers for vector environments "
                "inside GymEnv"
            )
        return found

    def _abandon_episodes(self) -> None:
        super()._abandon_episodes()
        self._so_far = None

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        vector = self._vector
        if vector is None:
            return super().obtain_samples(num_samples)
        so_far = self._so_far
        if so_far is None or vector.needs_reset:
            so_far = self._so_far = self._begin(vector)
        self._rollout.begin(-(-num_samples // self._n_envs), so_far)
        actor = self._actor(so_far)
        idle, left = so_far.idle, num_samples
        while left > 0:
            left -= self._n_envs - int(idle.sum())
            idle = self._step(vector, actor, idle) & vector.idles
        return self._batch(vector, so_far)

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        vector = self._vector
        if vector is None:
            return super().obtain_episodes(n_episodes)
        self._abandon_episodes()
        so_far = self._begin(vector)
        self._rollout.begin(64, so_far)
        actor = self._actor(so_far)
        playing = np.arange(self._n_envs) < n_episodes
        begun, wanted = int(playing.sum()), []
        idle = so_far.idle
        between = np.zeros(self._n_envs, bool)  # they play on once their reset is through
        while playing.any() or between.any():
            wanted.append(playing.copy())
            ended = self._step(vector, actor, idle)
            idle = ended & vector.idles
            free = np.flatnonzero(ended & playing)
            playing |= between
            between[:] = False
            playing[free] = False
            again = free[: max(0, n_episodes - begun)]
            begun += len(again)
            (between if vector.idles else playing)[again] = True
        self._abandon_episodes()
        return self._batch(vector, so_far, np.array(wanted))

    def _begin(self, vector: VectorEnvironment) -> SoFar:
        """Begin an episode everywhere; only the first time are the generators seeded."""
        seeds = None
        if self._never_reset[0] or vector.needs_seeds:
            self._env_generation += not self._never_reset[0]  # others than those of before
            numbers = [self._env_generation] if self._env_generation else []
            seeds = [
                seeding.integer_seed("env", self._worker_number, k, *numbers, entropy=self._seed)
                for k in range(self._n_envs)
            ]
            self._never_reset = [False] * self._n_envs
            self._envs[0].reset(seed=seeds[0])  # whoever draws from its spaces draws the same
        so_far = SoFar(vector.reset(seeds), vector.idles)
        self._forget(np.ones(self._n_envs, bool))
        return so_far

    def _actor(self, so_far: SoFar) -> Any:
        """Return what acts, on the current weights, and note what it remembers now."""
        if self._agent is None:
            raise RuntimeError(
                "VectorWorker: there is no policy yet; call update_agent(policy) first"
            )
        if self._rng is None:
            self._rng = seeding.stream("worker", self._worker_number, entropy=self._seed)
        actor = actor_of(self._agent)
        self._memory = give_memory(actor, self._n_envs, self._memory)
        so_far.memory = None if self._memory is None else self._memory.copy()
        return actor

    def _step(self, vector: VectorEnvironment, actor: Any, idle: np.ndarray) -> np.ndarray:
        """Take one tick, in which some only begin an episode; return where one ended."""
        rollout = self._rollout
        started = perf_counter()
        actions, agent_infos = actor.act(rollout.observations, self._rng)
        decided = perf_counter()
        step = vector.step(actions)
        stepped = perf_counter()
        rollout.add(actions, agent_infos, step)
        begun = idle if vector.idles else step.ended
        if begun.any():
            self._forget(begun)
        self._seconds["PolicyExecTime"] += decided - started
        self._seconds["EnvExecTime"] += stepped - decided
        return step.ended

    def _forget(self, begun: np.ndarray) -> None:
        """Let the policy forget what was before the episodes that begin next; shape (N,), bool."""
        if self._memory is not None:
            self._memory[begun] = 0.0
        else:
            self._agent.reset(begun)

    def shutdown(self) -> None:
        super().shutdown()
        if self._vector is not None:
            self._vector.close()

    def _batch(
        self, vector: VectorEnvironment, so_far: SoFar, wanted: np.ndarray | None = None
    ) -> EpisodeBatch:
        started = perf_counter()
        vector.tell()
        spec = self._envs[0].spec
        batch = self._rollout.finish(spec, so_far, self._dropped_infos, wanted)
        self._seconds["ProcessExecTime"] += perf_counter() - started
        return batch
