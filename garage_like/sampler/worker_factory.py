"""WorkerFactory: how a sampler's workers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from garage_like.configuration.plain_numbers import as_plain
from garage_like.sampler.default_worker import DefaultWorker
from garage_like.sampler.worker import Worker


class WorkerFactory:
    """Make workers that differ in nothing but their number.

    Args:
        max_episode_length: env steps after which a worker cuts an episode off (TIMEOUT); None
            leaves that to the environment.
        seed: what the workers' random numbers derive from; None takes the run's seed.
        n_workers: workers of a sampler.
        worker_class: a Worker.
        worker_args: further arguments of the class, such as `{'n_envs': 8}`.
        is_tf_worker: has no effect: workers act without a session of TensorFlow.

    Raises:
        TypeError: if worker_class is no Worker, or does not take worker_args.
        ValueError: if n_workers or an argument of the worker is out of range.
    """

    def __init__(
        self,
        *,
        max_episode_length: int | None = None,
        seed: int | None = None,
        n_workers: int = 1,
        worker_class: type[Worker] = DefaultWorker,
        worker_args: dict[str, Any] | None = None,
        is_tf_worker: bool = False,
    ) -> None:
        n_workers = as_plain(n_workers)
        if isinstance(n_workers, bool) or not isinstance(n_workers, int) or n_workers < 1:
            raise ValueError(
                f"WorkerFactory: n_workers must be an integer of at least 1, got {n_workers!r}"
            )
        if not (isinstance(worker_class, type) and issubclass(worker_class, Worker)):
            raise TypeError(f"WorkerFactory: worker_class must be a Worker, got {worker_class!r}")
        self.n_workers = n_workers
        self._max_episode_length = max_episode_length
        self._seed = seed
        self._worker_class = worker_class
        self._worker_args = dict(worker_args or {})
        # Workers are made when sampling starts; bad arguments must not wait that long.
        self(0)

    @property
    def arguments(self) -> dict[str, Any]:
        """What it was constructed with."""
        return {
            "max_episode_length": self._max_episode_length,
            "seed": self._seed,
            "n_workers": self.n_workers,
            "worker_class": self._worker_class,
            "worker_args": dict(self._worker_args),
        }

    def prepare_worker_messages(
        self, objs: Any, preprocess: Callable[[Any], Any] | None = None
    ) -> list[Any]:
        """Return what each worker is given: one thing for all, or the entries of a list.

        Args:
            objs: the thing or the list.
            preprocess: maps each entry to what is given; None leaves it as it is.

        Raises:
            ValueError: if the list does not have one entry for each worker.
        """
        if not isinstance(objs, list):
            objs = [objs] * self.n_workers
        if len(objs) != self.n_workers:
            raise ValueError(
                f"a list must have one entry for each of {self.n_workers} workers, got {len(objs)}"
            )
        return [obj if preprocess is None else preprocess(obj) for obj in objs]

    def __call__(self, worker_number: int) -> Worker:
        """Return worker number `worker_number`, which has neither policy nor environment yet."""
        if not 0 <= worker_number < self.n_workers:
            raise ValueError(
                f"WorkerFactory: worker_number must be in [0, {self.n_workers}), got "
                f"{worker_number!r}"
            )
        return self._worker_class(
            seed=self._seed,
            max_episode_length=self._max_episode_length,
            worker_number=worker_number,
            **self._worker_args,
        )
