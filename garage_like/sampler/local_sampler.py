"""LocalSampler: workers in this process, asked one after the other."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from garage_like.configuration.configured import configuration_of
from garage_like.data.batches import EpisodeBatch
from garage_like.envs.copy import copy_env, without_sharing
from garage_like.interfaces import Agent, Environment, Sampler
from garage_like.sampler.default_worker import DefaultWorker
from garage_like.sampler.env_update import EnvUpdate
from garage_like.sampler.vector_worker import VectorWorker
from garage_like.sampler.worker import EXEC_TIME_KEYS, Worker
from garage_like.sampler.worker_factory import WorkerFactory

_OF_WORKERS = (
    "max_episode_length",
    "seed",
    "n_workers",
    "n_envs",
    "worker_class",
    "worker_args",
)


class LocalSampler(Sampler):
    """Collect env steps in this process.

    The policy is shared, not copied, so workers always act by the newest weights. The first worker
    steps the environment that is given, so running statistics of its wrappers are those of
    training; other workers, and a worker's further environments, step copies, which are taken
    before the first step. To try a policy in between, use a copy of the environment.

    Args:
        agents: a policy, or a list of one for each worker; None where each call brings one.
        envs: an environment, or what makes one (EnvUpdate), or a list of one for each worker.
        worker_factory: makes the workers; the arguments below are for when there is none.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT); None takes the
            environment's own limit.
        seed: what all random numbers derive from; None takes the run's seed. Two samplers of one
            run draw different episodes only if they have different seeds.
        n_workers: they share the env steps asked for in equal parts.
        n_envs: environments that each worker steps side by side: by a VectorWorker, which steps
            them at once where the environment can, and whose episodes go on from call to call.
            None takes as many as a vector environment has; else each worker has one environment,
            or as many as `worker_args` say.
        worker_class: a Worker, such as VecWorker; None takes a DefaultWorker, which plays whole
            episodes one after the other, or with several environments a VectorWorker.
        worker_args: further arguments of the class, such as `{'n_envs': 8}`.

    Raises:
        TypeError: if `envs` is no Environment, or other arguments come with a worker_factory.
        ValueError: if a list does not have one entry for each worker, or a number is out of range.
    """

    def __init__(
        self,
        agents: Agent | list[Agent] | None,
        envs: Environment | list[Environment],
        *,
        worker_factory: WorkerFactory | None = None,
        max_episode_length: int | None = None,
        seed: int | None = None,
        n_workers: int = 1,
        n_envs: int | None = None,
        worker_class: type[Worker] | None = None,
        worker_args: dict[str, Any] | None = None,
    ) -> None:
        if worker_factory is None:
            first: Any = envs[0] if isinstance(envs, list) and envs else envs
            if n_envs is None and worker_class is None and getattr(first, "n_envs", 1) > 1:
                n_envs = first.n_envs
            if n_envs is not None:
                worker_class = worker_class or VectorWorker
                worker_args = {**(worker_args or {}), "n_envs": n_envs}
            worker_factory = WorkerFactory(
                max_episode_length=max_episode_length,
                seed=seed,
                n_workers=n_workers,
                worker_class=worker_class or DefaultWorker,
                worker_args=worker_args,
            )
        elif (max_episode_length, seed, n_workers, n_envs, worker_class, worker_args) != (
            (None, None, 1, None, None, None)
        ):
            raise TypeError(
                "LocalSampler: max_episode_length, seed, n_workers, n_envs, worker_class and "
                "worker_args are the worker_factory's; give them to it or to the sampler, not to "
                "both"
            )
        self._factory = worker_factory
        self._agents = self._for_each_worker("agents", agents)
        listed = self._for_each_worker("envs", envs)
        self._envs = [env() if isinstance(env, EnvUpdate) else env for env in listed]
        for env in self._envs:
            if not isinstance(env, Environment):
                raise TypeError(
                    f"LocalSampler: envs must be an Environment, got {env!r}; wrap a gymnasium "
                    "environment in GymEnv"
                )
        self._workers: list[Worker] = []
        self.total_env_steps = 0

    @classmethod
    def from_worker_factory(
        cls,
        worker_factory: WorkerFactory,
        agents: Agent | list[Agent] | None,
        envs: Environment | list[Environment],
    ) -> LocalSampler:
        """Return a sampler whose workers a factory makes."""
        return cls(agents, envs, worker_factory=worker_factory)

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Go on with other workers, which begin new episodes; see `Configured`.

        Args:
            values: of the arguments that say how workers are made; a class by its name.

        Raises:
            ValueError: if one is out of range, or is none of them.
            TypeError: if the workers do not take them.
        """
        known = configuration_of(self) or {}
        given: dict[str, Any] = {name: known.get(name) for name in _OF_WORKERS}
        if known.get("worker_factory") is not None:
            given |= self._factory.arguments
        super().change_arguments({k: v for k, v in values.items() if k not in _OF_WORKERS})
        given |= {name: value for name, value in values.items() if name in _OF_WORKERS}
        if isinstance(given["worker_class"], str):
            given["worker_class"] = pkgutil.resolve_name(given["worker_class"])
        before = dict(vars(self))
        try:
            LocalSampler.__init__(
                self, _one_if_equal(self._agents), _one_if_equal(self._envs), **given
            )
        except BaseException:
            vars(self).update(before)
            raise
        self.total_env_steps = before["total_env_steps"]

    def obtain_samples(
        self, itr: int, num_samples: int, agent_update: Any = None, env_update: Any = None
    ) -> EpisodeBatch:
        """Collect at least `num_samples` env steps, in equal parts from each worker.

        Args:
            itr: the trainer's counter; not used.
            num_samples: env steps wanted; workers finish what they have begun.
            agent_update: a policy, or what its `set_param_values` takes; None keeps the weights.
                A list is one for each worker.
            env_update: an environment, or a callable that takes a worker's environment and returns
                the one to use; None keeps it. A list is one for each worker.
        """
        if num_samples < 1:
            raise ValueError(
                f"LocalSampler.obtain_samples: num_samples must be at least 1, got {num_samples!r}"
            )
        share, rest = divmod(num_samples, self._factory.n_workers)
        shares = [share + (k < rest) for k in range(self._factory.n_workers)]
        return self._joined(self._collect("obtain_samples", shares, agent_update, env_update))

    def obtain_exact_episodes(
        self, n_eps_per_worker: int, agent_update: Any = None, env_update: Any = None
    ) -> EpisodeBatch:
        """Collect exactly `n_eps_per_worker` whole episodes from each worker, in their order.

        Args:
            n_eps_per_worker: episodes wanted of each worker.
            agent_update: as for `obtain_samples`.
            env_update: as for `obtain_samples`.
        """
        if n_eps_per_worker < 1:
            raise ValueError(
                "LocalSampler.obtain_exact_episodes: n_eps_per_worker must be at least 1, got "
                f"{n_eps_per_worker!r}"
            )
        counts = [n_eps_per_worker] * self._factory.n_workers
        return self._joined(self._collect("obtain_episodes", counts, agent_update, env_update))

    def _collect(
        self, method: str, amounts: list[int], agent_update: Any, env_update: Any
    ) -> list[EpisodeBatch]:
        """Let each worker collect its amount; return the batches in the workers' order."""
        workers = self._updated(agent_update, env_update)
        return [
            getattr(worker, method)(amount)
            for worker, amount in zip(workers, amounts, strict=True)
            if amount
        ]

    @property
    def worker_class(self) -> type[Worker]:
        """What the workers are."""
        found: type[Worker] = self._factory.arguments["worker_class"]
        return found

    @property
    def envs(self) -> Sequence[Environment]:
        """The environments of all workers, as far as collecting has begun."""
        return [env for worker in self._workers for env in worker.envs]

    def exec_times(self) -> dict[str, float]:
        """Return seconds spent in environments, policy and the rest since the last call."""
        times = [worker.exec_times() for worker in self._workers]
        return {key: sum(one[key] for one in times) for key in EXEC_TIME_KEYS}

    def _updated(self, agent_update: Any, env_update: Any) -> Iterator[Worker]:
        """Yield each worker, with its updates, when it is its turn."""
        agent_updates = self._for_each_worker("agent_update", agent_update)
        env_updates = self._for_each_worker("env_update", env_update)
        if not self._workers:
            self._workers = self._make_workers()
        for worker, update in zip(self._workers, without_sharing(env_updates), strict=True):
            worker.update_env(update)
        self._share_no_env()
        for worker, update in zip(self._workers, agent_updates, strict=True):
            worker.update_agent(update)
            yield worker

    def _share_no_env(self) -> None:
        """Let a worker step a copy of what an update gave to one before it, too."""
        seen: set[int] = set()
        for worker in self._workers:
            if any(id(env) in seen for env in worker.envs):
                worker.update_env(copy_env(worker.envs[0]))
            seen.update(map(id, worker.envs))

    def _make_workers(self) -> list[Worker]:
        workers = [self._factory(number) for number in range(self._factory.n_workers)]
        envs = without_sharing(self._envs)
        for worker, agent, env in zip(workers, self._agents, envs, strict=True):
            worker.update_agent(agent)
            worker.update_env(env)
        return workers

    def _for_each_worker(self, name: str, value: Any) -> list[Any]:
        try:
            return self._factory.prepare_worker_messages(value)
        except ValueError as error:
            raise ValueError(f"LocalSampler: {name} as {error}") from None

    def _joined(self, batches: list[EpisodeBatch]) -> EpisodeBatch:
        batch = EpisodeBatch.concatenate(*batches)
        self.total_env_steps += batch.num_steps
        return batch


def _one_if_equal(values: list[Any]) -> Any:
    return values[0] if all(value is values[0] for value in values) else values
