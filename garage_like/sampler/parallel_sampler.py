"""ParallelSampler: LocalSampler's workers elsewhere, collecting at the same time, the same bits.

The workers that this process holds stay the truth: what a worker elsewhere has become comes home
with each batch. So a snapshot needs to know nothing of other processes, a worker that dies is sent
again and repeats its share, and a run may move from one kind of sampler to another at a resume.
"""

from __future__ import annotations

import abc
import weakref
from collections.abc import Iterable
from typing import Any, Protocol

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch
from garage_like.logging.notices import warn
from garage_like.sampler.hands import WorkerDiedError
from garage_like.sampler.local_sampler import LocalSampler
from garage_like.sampler.parcels import Parcel, pack, pack_worker, put_into
from garage_like.sampler.process_link import ProcessLink
from garage_like.sampler.ray_link import RayLink, published
from garage_like.sampler.worker import EXEC_TIME_KEYS, Worker
from garage_like.sampler.worker_process import Arena, Place
from garage_like.snapshot.kinds.registry import KINDS

MAX_DEATHS = 3
"""How often a worker may die in one call before that is the caller's affair."""


class Link(Protocol):
    """Reach a worker elsewhere."""

    def start(self, worker: Parcel, surroundings: dict[str, Any]) -> None:
        """Send the worker; it takes the place of one that was sent before."""

    def send_policy(self, content: bytes | None, places: Any) -> None:
        """Send a policy."""

    def ask(self, method: str, amount: int) -> None:
        """Let the worker collect."""

    def answer(self) -> tuple[EpisodeBatch, Parcel]:
        """Wait for the batch, and for what the worker has become."""

    def stop(self) -> None:
        """Let go of the worker."""


class ParallelSampler(LocalSampler):
    """Collect with workers elsewhere; arguments, and results to the bit, are LocalSampler's.

    Workers must depend on nothing that they would share in one process: what draws from a
    process's own generators, or a policy that changes while it acts, is refused.
    """

    configured_as = LocalSampler

    @abc.abstractmethod
    def _make_team(self) -> Team:
        """Return what reaches the workers."""

    def start_worker(self) -> None:
        """Start the workers; else the first call does."""
        self._team()

    def shutdown_worker(self) -> None:
        """End the workers elsewhere; what they have become is here, and the next call sends it."""
        team = _TEAMS.pop(self, None)
        if team is not None:
            team.stop()

    def _team(self) -> Team:
        if not self._workers:
            self._workers = self._make_workers()
        team = _TEAMS.get(self)
        if team is None or team.workers is not self._workers:  # as after a restore
            self.shutdown_worker()
            team = _TEAMS[self] = self._make_team()
        return team

    def _collect(
        self, method: str, amounts: list[int], agent_update: Any, env_update: Any
    ) -> list[EpisodeBatch]:
        team = self._team()
        updates = self._for_each_worker("env_update", env_update)
        team.renew([number for number, update in enumerate(updates) if update is not None])
        list(self._updated(agent_update, env_update))
        return team.collect(method, amounts)


class Team:
    """The workers of one sampler, here and elsewhere.

    Args:
        workers: those here, in their order.
    """

    def __init__(self, workers: list[Worker]) -> None:
        self.workers = workers
        self._links: list[Link | None] = [None] * len(workers)
        self._changed: set[int] = set()
        self._policies: dict[int, tuple[bytes, Any]] = {}

    def make_link(self, number: int) -> Link:
        """Return a link to a worker that is still to be sent."""
        raise NotImplementedError

    def publish(self, parcels: list[Parcel]) -> list[Any]:
        """Put policies' arrays where all workers find them; return where each policy's are."""
        raise NotImplementedError

    def renew(self, numbers: list[int]) -> None:
        """Send these workers again before they are asked next, since they change here."""
        self._changed.update(numbers)

    def _let_go(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            link, self._links[number] = self._links[number], None
            if link is not None:
                link.stop()

    def collect(self, method: str, amounts: list[int]) -> list[EpisodeBatch]:
        """Let each worker collect its amount; return the batches in the workers' order."""
        agents = {id(worker._agent): worker._agent for worker in self.workers}
        parcels = [pack(agent) for agent in agents.values()]
        places = dict(zip(agents, self.publish(parcels), strict=True))
        contents = dict(zip(agents, (content for content, _ in parcels), strict=True))
        known, self._policies = self._policies, {}
        asked = [number for number, amount in enumerate(amounts) if amount]
        for number in asked:
            agent = id(self.workers[number]._agent)
            self._policies[number] = contents[agent], places[agent]
            is_known = known.get(number, (b"",))[0] == contents[agent]
            self._ask(number, method, amounts[number], resend=not is_known)
        return [self._answer(number, method, amounts[number]) for number in asked]

    def _ask(self, number: int, method: str, amount: int, *, resend: bool) -> None:
        link = self._links[number]
        content, places = self._policies[number]
        if link is None or number in self._changed:
            link = self._links[number] = link or self.make_link(number)
            self._changed.discard(number)
            link.start(pack_worker(self.workers[number]), _surroundings())
            resend = True
        link.send_policy(content if resend else None, places)
        link.ask(method, amount)

    def _answer(self, number: int, method: str, amount: int) -> EpisodeBatch:
        for deaths in range(1, MAX_DEATHS + 1):
            link = self._links[number]
            assert link is not None
            try:
                batch, state = link.answer()
            except WorkerDiedError as error:
                self._let_go([number])
                if deaths == MAX_DEATHS:
                    raise RuntimeError(
                        f"worker {number} died {deaths} times in one call ({error}); perhaps memory"
                        " is short, or the environment ends its process: try LocalSampler"
                    ) from error
                warn(f"worker {number} died ({error}); it is sent again and repeats its share")
                self._ask(number, method, amount, resend=True)
            except BaseException:
                self._let_go(range(len(self._links)))  # answers that nobody waits for
                raise
            else:
                break
        worker = self.workers[number]
        before = worker.exec_times()
        put_into(worker, state)
        # What keeps the specification, as replay memory does, shares it with the environment.
        object.__setattr__(batch, "env_spec", worker._envs[0].spec)
        for key in EXEC_TIME_KEYS:
            worker._seconds[key] += before[key]
        return batch

    def stop(self) -> None:
        """Let go of all workers elsewhere."""
        self._let_go(range(len(self._links)))


# Workers elsewhere are made again when they are not there, so they are no part of a run's state.
_TEAMS: weakref.WeakKeyDictionary[ParallelSampler, Team] = weakref.WeakKeyDictionary()


def _surroundings() -> dict[str, Any]:
    """Return what bits depend on beside the worker."""
    settings = {kind.name: kind.settings() for kind in KINDS.loaded()}
    return {"seed_state": seeding.seed_state(), "settings": settings}


class MultiprocessingSampler(ParallelSampler):
    """Collect with a process for each worker; arguments and results are LocalSampler's.

    Worth its price where environments take their time: what the workers have become comes home
    with each batch, some milliseconds for eight MuJoCo simulations. Where one step is asked for at
    a time, as off-policy algorithms do, that outweighs what is gained.

    A worker that dies is started again and repeats its share: the same bits, and a warning. No
    worker outlives this process, however it ends.
    """

    def _make_team(self) -> Team:
        return _Processes(self._workers)


class _Processes(Team):
    def __init__(self, workers: list[Worker]) -> None:
        super().__init__(workers)
        self._arena = Arena()

    def make_link(self, number: int) -> Link:
        return ProcessLink(self._arena)

    def publish(self, parcels: list[Parcel]) -> list[list[Place]]:
        places = iter(self._arena.write([b for _, buffers in parcels for b in buffers]))
        return [[next(places) for _ in buffers] for _, buffers in parcels]


class RaySampler(ParallelSampler):
    """Collect with an actor for each worker of a Ray cluster; all else is LocalSampler's.

    For machines beside this one; on one, `MultiprocessingSampler` starts sooner and asks for less.
    Workers go to the cluster that `ray.init` or the variable RAY_ADDRESS has named, spread over its
    machines; where neither has, one is started on this machine, and ends with this process, however
    that ends. What workers run must be importable there, or be a part of the script.

    A worker that dies, alone or with its machine, is started again and repeats its share: the same
    bits, and a warning.
    """

    def _make_team(self) -> Team:
        return _Actors(self._workers)


class _Actors(Team):
    def make_link(self, number: int) -> Link:
        return RayLink()

    def publish(self, parcels: list[Parcel]) -> list[Any]:
        return published(parcels)
