"""Worker: plays episodes in environments of its own, with random numbers of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, TypedDict

import gymnasium
import numpy as np

from garage_like import seeding
from garage_like.configuration.extension_points import ExtensionPoints
from garage_like.configuration.plain_numbers import as_plain
from garage_like.configuration.shown_options import show_options
from garage_like.data.batches import EpisodeBatch
from garage_like.envs.copy import copy_env, without_sharing
from garage_like.envs.env_list import EnvList
from garage_like.envs.episode_limit import check_episode_limit
from garage_like.interfaces import Actor, Environment
from garage_like.sampler.env_update import apply_env_update
from garage_like.sampler.episode_builder import EpisodeBuilder
from garage_like.sampler.framework_actor import actor_of, give_memory

EXEC_TIME_KEYS = ("EnvExecTime", "PolicyExecTime", "ProcessExecTime")


class WorkerOptions(TypedDict, total=False):
    """Arguments that all workers take; see Worker."""

    seed: int | None
    max_episode_length: int | None
    worker_number: int


class Worker(ExtensionPoints):
    """Collect episodes; a sampler has one or more workers and asks them in turn.

    What a worker collects follows from the policy, the environment, the seed and the worker's
    number alone: actions are drawn from a generator of the worker's own, and each environment is
    seeded at its first reset and never again.

    A subclass implements `rollout`, or the three steps that it is made of, as in garage:
    `start_episode`, `step_episode` and `collect_episode`. One that can do more at a time implements
    `obtain_samples` and `obtain_episodes`.

    Args:
        seed: what the worker's random numbers derive from; None takes the run's seed.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT); None, or a limit
            above the environment's, leaves that to the environment.
        worker_number: which of a sampler's workers this is.
        n_envs: environments that are stepped side by side.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Show what a new subclass's constructor takes."""
        super().__init_subclass__(**options)
        show_options(cls)

    def __init__(
        self,
        *,
        seed: int | None = None,
        max_episode_length: int | None = None,
        worker_number: int = 0,
        n_envs: int = 1,
    ) -> None:
        owner = type(self).__name__
        max_episode_length = check_episode_limit(owner, max_episode_length)
        n_envs = as_plain(n_envs)
        if isinstance(n_envs, bool) or not isinstance(n_envs, int) or n_envs < 1:
            raise ValueError(f"{owner}: n_envs must be an integer of at least 1, got {n_envs!r}")
        self._seed = seed
        self._max_episode_length = max_episode_length
        self._worker_number = worker_number
        self._n_envs: int = n_envs
        self._agent: Any = None
        self._envs: list[Environment] = []
        self._never_reset = [True] * self._n_envs
        self._env_generation = 0
        self._rng: np.random.Generator | None = None
        # What the policy remembers of each environment's episode, if it is recurrent.
        self._memory: np.ndarray | None = None
        self._dropped_infos: set[str] = set()
        self._seconds = dict.fromkeys(EXEC_TIME_KEYS, 0.0)
        self.worker_init()

    def worker_init(self) -> None:
        """Do nothing; called by the constructor, for what a subclass needs besides."""

    @property
    def agent(self) -> Any:
        """The policy, None before there is one."""
        return self._agent

    @agent.setter
    def agent(self, policy: Any) -> None:
        self._agent = policy

    @property
    def env(self) -> Any:
        """The first of the worker's environments, None before there is one."""
        return self._envs[0] if self._envs else None

    @env.setter
    def env(self, env: Any) -> None:
        self._envs = [env]

    def update_agent(self, agent_update: Any) -> None:
        """Change the policy.

        Args:
            agent_update: a policy, which is used as it is and not copied; or what the present
                one's `set_param_values` takes; or None for no change.
        """
        if agent_update is None or agent_update is self._agent:
            return
        if hasattr(agent_update, "get_action"):
            self._agent = agent_update
        elif self._agent is None:
            raise ValueError(
                f"{type(self).__name__}.update_agent: the first update must be a policy, got "
                f"{type(agent_update).__name__}"
            )
        else:
            self._agent.set_param_values(agent_update)

    def update_env(self, env_update: Any) -> None:
        """Change the environment; episodes that go on over calls are given up.

        Args:
            env_update: an environment, which the worker steps itself, along with copies of it if
                it steps several; or a callable that takes each of the worker's environments and
                returns the one to use; or a list of one for each environment; or None for no
                change.
        """
        if env_update is None:
            return
        envs: list[Environment]
        if isinstance(env_update, list | tuple):
            if len(env_update) != self._n_envs:
                raise ValueError(
                    f"{type(self).__name__}.update_env: a list must have one entry for each of"
                    f" {self._n_envs} environments, got {len(env_update)}"
                )
            olds: Sequence[Any] = self._envs or [None] * self._n_envs
            pairs = zip(olds, env_update, strict=True)
            envs = without_sharing([apply_env_update(old, update)[0] for old, update in pairs])
        elif isinstance(env_update, Environment):
            if env_update.n_envs > 1:
                raise TypeError(
                    f"{type(self).__name__}.update_env: a vector environment is for a VectorWorker;"
                    " leave worker_class out, and the sampler takes one"
                )
            # All copies are taken before the first step, so that all start alike.
            envs = EnvList([env_update, *(copy_env(env_update) for _ in range(self._n_envs - 1))])
        elif callable(env_update) and self._envs:
            envs = without_sharing([env_update(env) for env in self._envs])
        else:
            raise _not_an_env(f"{type(self).__name__}.update_env", env_update)
        for env in envs:
            if not isinstance(env, Environment):
                raise _not_an_env(f"{type(self).__name__}.update_env", env)
        if self._envs:
            self._env_generation += 1
            self._never_reset = [
                never or new is not old
                for never, new, old in zip(self._never_reset, envs, self._envs, strict=True)
            ]
        self._envs = envs
        self._abandon_episodes()

    @property
    def envs(self) -> Sequence[Environment]:
        """The environments that the worker steps."""
        return tuple(self._envs)

    def _abandon_episodes(self) -> None:
        """Forget episodes that go on over calls; workers that have any override this."""

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        """Collect at least `num_samples` env steps."""
        batches: list[EpisodeBatch] = []
        while sum(batch.num_steps for batch in batches) < num_samples:
            batches.append(self.rollout())
        return EpisodeBatch.concatenate(*batches)

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        """Collect exactly `n_episodes` whole episodes, in the order in which they were begun."""
        return EpisodeBatch.concatenate(*(self.rollout() for _ in range(n_episodes)))

    def rollout(self) -> EpisodeBatch:
        """Collect one whole episode, step by step."""
        self.start_episode()
        while not self.step_episode():
            pass
        return self.collect_episode()

    def start_episode(self) -> None:
        """Begin an episode."""
        raise NotImplementedError(f"{type(self).__name__} must implement start_episode")

    def step_episode(self) -> bool:
        """Take one env step; return whether it ended the episode."""
        raise NotImplementedError(f"{type(self).__name__} must implement step_episode")

    def collect_episode(self) -> EpisodeBatch:
        """Return the episode that was played, and forget it."""
        raise NotImplementedError(f"{type(self).__name__} must implement collect_episode")

    def exec_times(self) -> dict[str, float]:
        """Return seconds spent in environments, policy and the rest since the last call."""
        seconds, self._seconds = self._seconds, dict.fromkeys(EXEC_TIME_KEYS, 0.0)
        return seconds

    def shutdown(self) -> None:
        """Close the worker's environments; it must not be used any more."""
        for env in self._envs:
            env.close()

    def _start(self) -> tuple[Actor, np.random.Generator, EpisodeBuilder]:
        """Return what one call needs: an actor on the current weights, noise, and a builder."""
        if self._agent is None or not self._envs:
            raise RuntimeError(
                f"{type(self).__name__}: there is no policy or no environment yet; call "
                "update_agent(policy) and update_env(env) first"
            )
        if self._rng is None:
            self._rng = seeding.stream("worker", self._worker_number, entropy=self._seed)
        builder = EpisodeBuilder(self._envs[0].spec, self._n_envs, self._dropped_infos)
        actor = actor_of(self._agent)
        self._memory = give_memory(actor, self._n_envs, self._memory)
        return actor, self._rng, builder

    def _finish(self, builder: EpisodeBuilder) -> EpisodeBatch:
        started = time.perf_counter()
        batch = builder.build()
        self._seconds["ProcessExecTime"] += time.perf_counter() - started
        return batch

    def _reset_env(self, column: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in one environment, and let the policy forget the one before."""
        started = time.perf_counter()
        observation, episode_info = self._begin_episode(column)
        self._forget_episode(column)
        self._seconds["EnvExecTime"] += time.perf_counter() - started
        return observation, episode_info

    def _begin_episode(self, column: int) -> tuple[np.ndarray, dict[str, Any]]:
        env = self._envs[column]
        seed = None
        if self._never_reset[column]:
            numbers = [self._worker_number, column]
            if self._env_generation:
                numbers.append(self._env_generation)
            seed = seeding.integer_seed("env", *numbers, entropy=self._seed)
            self._never_reset[column] = False
        observation, episode_info = env.reset(seed=seed)
        env.needs_reset = False
        return observation, episode_info

    def _forget_episode(self, column: int) -> None:
        if self._memory is not None:
            self._memory[column] = 0.0
            return
        do_resets = np.zeros(self._n_envs, bool)
        do_resets[column] = True
        self._agent.reset(do_resets)

    @property
    def _limit(self) -> float:
        """Steps after which the worker must cut an episode off itself."""
        own, envs_own = self._max_episode_length, self._envs[0].spec.max_episode_length
        if own is None or (envs_own is not None and envs_own <= own):
            return math.inf
        return own


def _not_an_env(owner: str, value: Any) -> TypeError:
    hint = (
        "; wrap it in GymEnv"
        if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv)
        else ""
    )
    return TypeError(
        f"{owner}: expected an Environment, or a callable that takes one and returns one, got "
        f"{value!r}{hint}"
    )
