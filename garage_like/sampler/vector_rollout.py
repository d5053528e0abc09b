"""VectorRollout: steps of N environments go in tick by tick, an EpisodeBatch comes out.

Legend: T ticks, N environments, so T * N cells. A cell is *real* unless its step only began an
episode (`VectorGym.idles`), or belongs to an episode that nobody asked for.
"""

from __future__ import annotations

import numpy as np

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.data.env_step import VectorStep
from garage_like.data.infos import Infos
from garage_like.sampler.vector_infos import stack_vector_infos

_FIRST, _MID, _TERMINAL, _TIMEOUT = map(int, StepType)


class SoFar:
    """What is known of the episodes that go on from call to call, one row for each environment.

    Args:
        observations: see below.
        idles: whether the step after an episode's end only begins the next one.

    Attributes:
        observations: shape (N, O*), to act on next.
        idle: shape (N,), bool: whether the next step only begins an episode.
        returns: shape (N,), undiscounted return so far.
        lengths: shape (N,), env steps so far.
        memory: shape (N, M), a recurrent policy's, as it was when the call began; else None.
    """

    def __init__(self, observations: np.ndarray, idles: bool) -> None:
        n_envs = len(observations)
        self.observations = observations
        self.idles = idles
        self.idle = np.zeros(n_envs, bool)
        self.returns = np.zeros(n_envs)
        self.lengths = np.zeros(n_envs, np.int64)
        self.memory: np.ndarray | None = None

    def carry(
        self,
        observations: np.ndarray,
        ended: np.ndarray,
        playing: np.ndarray,
        report: Infos,
        rows: np.ndarray,
    ) -> None:
        """Remember the episodes that go on: those in columns `playing`, in `rows` of a report."""
        self.observations = observations
        self.idle = ended & self.idles
        self.returns, self.lengths = np.zeros_like(self.returns), np.zeros_like(self.lengths)
        self.returns[playing] = report["EpisodeReturn"][rows]
        self.lengths[playing] = report["EpisodeLength"][rows]


class VectorRollout:
    """Arrays of T rows of N, filled from the first tick on, and used again from call to call.

    Fresh memory costs more than what is stored in it.

    Attributes:
        ticks: T, so far.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._agent_infos: list[str] = []
        self._last: list[tuple[np.ndarray, np.ndarray]] = []
        self._env_infos: list[Infos] = []
        self._room = 0
        self.ticks = 0

    def begin(self, ticks: int, so_far: SoFar) -> None:
        """Make room for so many ticks, and begin with what comes next."""
        self._last, self._env_infos = [], []
        self.ticks = 0
        self._room = max(ticks, self._room)
        self._prepare("observations", so_far.observations, self._room + 1)[0] = so_far.observations

    @property
    def observations(self) -> np.ndarray:
        """What is to be acted on now, shape (N, O*)."""
        now: np.ndarray = self._arrays["observations"][self.ticks]
        return now

    def add(self, actions: np.ndarray, agent_infos: Infos, step: VectorStep) -> None:
        """Store one tick."""
        t, arrays = self.ticks, self._arrays
        if not t:
            self._agent_infos = list(agent_infos)
            for name, row in agent_infos.items():
                self._prepare(f"agent {name}", row, self._room)
            self._prepare("actions", actions, self._room)
            self._prepare("rewards", step.rewards.astype(np.float64), self._room)
            self._prepare("terminated", step.terminated, self._room)
            self._prepare("ended", step.ended, self._room)
        elif t == self._room:
            self._grow()
        arrays["actions"][t] = actions
        arrays["rewards"][t] = step.rewards
        arrays["terminated"][t] = step.terminated
        arrays["ended"][t] = step.ended
        arrays["observations"][t + 1] = step.observations
        for name in self._agent_infos:
            arrays[f"agent {name}"][t] = agent_infos[name]
        if step.last_observations is not None:
            rows = np.flatnonzero(step.ended) + t * len(step.ended)
            self._last.append((rows, step.last_observations))
        self._env_infos.append(step.infos)
        self.ticks = t + 1

    def _prepare(self, name: str, row: np.ndarray, rows: int) -> np.ndarray:
        kept = self._arrays.get(name)
        if kept is None or kept.shape != (rows, *row.shape) or kept.dtype != row.dtype:
            kept = self._arrays[name] = np.empty((rows, *row.shape), row.dtype)
        return kept

    def _grow(self) -> None:
        for name, array in self._arrays.items():
            more = np.empty((self._room, *array.shape[1:]), array.dtype)
            self._arrays[name] = np.concatenate([array, more])
        self._room *= 2

    def finish(
        self,
        env_spec: EnvSpec,
        so_far: SoFar,
        dropped: set[str],
        wanted: np.ndarray | None = None,
    ) -> EpisodeBatch:
        """Lay the fragments out one after the other, in the order in which they were begun.

        Args:
            env_spec: of one environment.
            so_far: of the episodes that went on; brought up to now.
            dropped: names of infos that a warning was given for; new ones are added.
            wanted: shape (T, N), bool, cells of the episodes that are asked for; None for all.
        """
        ticks, n = self.ticks, len(so_far.idle)
        ended = self._arrays["ended"][:ticks]
        real, begins = _places(ended, so_far)
        cut = ended.copy()
        cut[-1] = real[-1]
        if wanted is not None:
            begins &= wanted
            cut &= wanted
        first_ticks, columns = np.nonzero(begins)
        last_ticks = np.empty_like(first_ticks)
        # Environment by environment, each end follows its beginning.
        last_ticks[np.lexsort((first_ticks, columns))] = np.nonzero(cut.T)[1]
        lengths = last_ticks - first_ticks + 1
        ends = np.cumsum(lengths)
        offsets = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        rows = np.repeat(first_ticks * n + columns, lengths) + offsets * n
        over = ended.reshape(-1)[last_ticks * n + columns]
        rewards = self._taken("rewards", rows)
        # Of those that go on from the call before.
        going_on = (first_ticks == 0) & (so_far.lengths[columns] > 0)
        types = np.full(len(rows), _MID, np.uint8)
        types[(ends - lengths)[~going_on]] = _FIRST
        terminated = self._taken("terminated", rows)[ends - 1]
        types[ends[over] - 1] = np.where(terminated[over], _TERMINAL, _TIMEOUT)
        report = {
            "EpisodeReturn": np.add.reduceat(rewards, ends - lengths),
            "EpisodeLength": lengths.copy(),
        }
        report["EpisodeReturn"][going_on] += so_far.returns[columns[going_on]]
        report["EpisodeLength"][going_on] += so_far.lengths[columns[going_on]]
        if so_far.memory is not None:
            report["Memory"] = np.zeros((len(lengths), so_far.memory.shape[1]), np.float32)
            begun_before = first_ticks == 0
            report["Memory"][begun_before] = so_far.memory[columns[begun_before]]
        batch = EpisodeBatch(
            env_spec=env_spec,
            episode_infos_by_episode=report if wanted is None else {},
            observations=self._taken("observations", rows),
            last_observations=self._last_observations(last_ticks * n + columns, over, n),
            actions=self._taken("actions", rows),
            rewards=rewards,
            env_infos=stack_vector_infos(self._env_infos, rows, ended, dropped),
            agent_infos={k: self._taken(f"agent {k}", rows) for k in self._agent_infos},
            step_types=types,
            lengths=lengths,
        )
        so_far.carry(self.observations.copy(), ended[-1], columns[~over], report, ~over)
        return batch

    def _taken(self, name: str, rows: np.ndarray) -> np.ndarray:
        array = self._arrays[name]
        return array.reshape(-1, *array.shape[2:]).take(rows, 0)

    def _last_observations(self, rows: np.ndarray, over: np.ndarray, n_envs: int) -> np.ndarray:
        """Return what was seen after each fragment's last step, given the cells of those."""
        last = self._taken("observations", rows + n_envs)
        if self._last:
            known = np.concatenate([cells for cells, _ in self._last])
            seen = np.concatenate([observations for _, observations in self._last])
            last[over] = seen[np.searchsorted(known, rows[over])]
        return last


def _places(ended: np.ndarray, so_far: SoFar) -> tuple[np.ndarray, np.ndarray]:
    """Return which cells are real, and in which a fragment begins; both of shape (T, N), bool."""
    real, begins = np.ones(ended.shape, bool), np.ones(ended.shape, bool)
    if not so_far.idles:
        begins[1:] = ended[:-1]
        return real, begins
    np.logical_not(so_far.idle, out=real[0])
    np.logical_not(ended[:-1], out=real[1:])
    np.logical_not(real[:-1], out=begins[1:])
    begins &= real
    return real, begins
