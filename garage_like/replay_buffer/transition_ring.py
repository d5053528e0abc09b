"""TransitionRing: where replay memory keeps its transitions, the newest in place of the oldest."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from gymnasium import spaces

from garage_like.configuration.configured import Configured
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.data.table import Table
from garage_like.replay_buffer.segments import Segments
from garage_like.replay_buffer.transitions import (
    Transitions,
    check_columns,
    check_others,
    columns_of,
    holds_others,
)

# Looking a member up on the Enum class costs more than to compare with it.
_FIRST, _MID = int(StepType.FIRST), int(StepType.MID)
_TERMINAL, _TIMEOUT = int(StepType.TERMINAL), int(StepType.TIMEOUT)


class TransitionRing(Configured):
    """Keep the newest transitions, and know which of them make up an episode.

    A transition is one packed row, floating numbers as float32, integers and bytes as they are;
    memory is touched only where rows have been written. Fragments of one episode that follow each
    other directly become one path again.

    Args:
        capacity_in_transitions: rows of the ring.
        env_spec: whose spaces say what a row looks like; None takes that of the first episodes.

    Raises:
        ValueError: if the capacity is not positive, or a space does not come as one array.
        TypeError: if the capacity is no integer.
    """

    # Slots of the last batch's paths that may go on, where it had several; older snapshots lack it.
    _tails: list[int] = []

    def __init__(self, capacity_in_transitions: int, env_spec: EnvSpec | None = None) -> None:
        _check_capacity(type(self).__name__, capacity_in_transitions)
        self._table: Table | None
        self._segments: Segments
        self._capacity = int(capacity_in_transitions)
        self._env_spec = env_spec
        self.clear()

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Go on with another capacity, and the newest transitions for which there is room.

        Args:
            values: see `Configured`.

        Raises:
            ValueError: if the capacity is not positive, or something else cannot be changed.
            TypeError: if the capacity is no integer.
        """
        others = dict(values)
        capacity = others.pop("capacity_in_transitions", self._capacity)
        _check_capacity(type(self).__name__, capacity)
        super().change_arguments(others)
        if capacity != self._capacity:
            stored = self.n_transitions_stored
            oldest = self._cursor if stored == self._capacity else 0
            self._move_to(capacity, ((oldest + np.arange(stored)) % self._capacity)[-capacity:])

    def _move_to(self, capacity: int, rows: np.ndarray) -> None:
        """Begin a ring of another capacity with some rows of this one, the oldest first."""
        before = self._table
        self._capacity = capacity
        self.clear()
        if before is None or not len(rows):
            return
        columns = {name: (column.dtype, column.shape) for name, column in before.columns.items()}
        values = before.take(rows)
        is_new = np.concatenate([[False], np.diff(values["segment"]) != 0])
        values["segment"] = np.cumsum(is_new).astype(values["segment"].dtype)
        self._table = self._table or Table(capacity, columns)
        self._table.write(0, values)
        self._cursor = len(rows) % capacity
        self._segments.rebuild(values["segment"], 0)

    def clear(self) -> None:
        """Forget all transitions, and give their memory back; the constructor begins so, too."""
        spec, capacity = self._env_spec, self._capacity
        self._table = None if spec is None else Table(capacity, columns_of(spec))
        self._segments = Segments(capacity)
        self._cursor = 0
        self._tails = []

    def without_transitions(self) -> Self:
        """Return a copy that holds none, as after `clear`; leave this one as it is."""
        empty = copy.copy(self)
        empty.clear()
        return empty

    @property
    def capacity(self) -> int:
        """Transitions that there is room for."""
        return self._capacity

    @property
    def env_spec(self) -> EnvSpec | None:
        """The environment that the transitions come from; None before it is known."""
        return self._env_spec

    @property
    def n_transitions_stored(self) -> int:
        """Transitions that can be drawn."""
        return 0 if self._table is None else self._table.num_rows

    @property
    def n_paths_stored(self) -> int:
        """Episodes, whole or in part, that `sample_path` can draw."""
        return self._segments.num_segments

    def add_episode_batch(self, episodes: EpisodeBatch) -> None:
        """Store episodes or fragments of them; the oldest transitions make room.

        A class that has an `add_path` of its own gets one path after another.

        Raises:
            ValueError: if the arrays are not what the environment's spaces say.
        """
        if type(self).add_path is TransitionRing.add_path:
            self._store(episodes)
            return
        before, tails = self._tails, []
        for path in _paths_of(episodes):
            # Each may go on from any that stood open before this batch.
            self._tails = before
            self.add_path(path)
            newest = self._segments.slot(self._segments.num_segments - 1)
            gone_on = {newest, *self._segments.previous_of(np.array([newest])).tolist()}
            before = [slot for slot in before if slot not in gone_on]
            if path["step_type"][-1] < _TERMINAL:
                tails.append(newest)
        self._tails = tails if len(episodes) > 1 else []

    def _store(self, episodes: EpisodeBatch) -> None:
        if self._table is not None and holds_others(self._table):
            raise ValueError(
                f"{type(self).__name__}: it holds paths of columns of their own,"
                f" {', '.join(self._table.columns.keys() - {'segment'})}, beside which there is no"
                " place for transitions; call clear() first, or use another buffer"
            )
        if self._env_spec is None:
            self._env_spec = episodes.env_spec
        if self._table is None:
            self._table = Table(self._capacity, columns_of(self._env_spec))
        values = {
            "observation": episodes.observations,
            "action": episodes.actions,
            "reward": episodes.rewards,
            "next_observation": episodes.next_observations,
            "step_type": episodes.step_types,
        }
        check_columns(f"{type(self).__name__}.add_episode_batch", values, self._table)
        previous = self._what_goes_on(values, episodes, self._table)
        goes_on = self._continues_newest(values, self._table)
        if self._tails:  # others may have observed the same, and have been before it
            newest = self._segments.slot(self._segments.num_segments - 1)
            goes_on = goes_on and bool(previous[0] == self._tails[-1] == newest)
        ends, count, start = episodes.ends, episodes.num_steps, 0
        slots = np.empty(len(episodes), np.int64)
        if self._cursor + count <= self._capacity:
            slots[:] = self._append(values, episodes.lengths, goes_on, self._table, previous)
            start = count
        while start < count:
            stop = min(count, start + self._capacity - self._cursor)
            lengths = np.diff(np.clip(ends, start, stop), prepend=start)
            piece, has = {name: array[start:stop] for name, array in values.items()}, lengths > 0
            slots[has] = self._append(piece, lengths[has], goes_on, self._table, previous[has])
            goes_on, start = stop not in ends, stop
        self._tails = []
        if len(slots) > 1:
            self._tails = slots[episodes.last_step_types < _TERMINAL].tolist()

    def _what_goes_on(
        self, values: Transitions, episodes: EpisodeBatch, table: Table
    ) -> np.ndarray:
        """Find which paths of the batch before these fragments go on from; shape (N,), -1: none.

        Several environments come in turn, so what goes on lies rows apart. It is known by what was
        observed.
        """
        previous = np.empty(len(episodes), np.int64)  # np.full takes three times as long
        previous.fill(-1)
        if not self._tails:
            return previous
        starts, lengths = self._segments.locate(np.array(self._tails))
        stored = table.take((starts + lengths - 1) % self._capacity)["next_observation"]
        known: dict[bytes, list[int]] = {}
        for slot, observation in zip(self._tails, stored, strict=True):
            known.setdefault(observation.tobytes(), []).append(slot)
        firsts = episodes.ends - episodes.lengths
        seen = values["observation"][firsts].astype(stored.dtype)
        for i in np.flatnonzero(values["step_type"][firsts] != _FIRST):
            slots = known.get(seen[i].tobytes())
            if slots:
                previous[i] = slots.pop(0)
        return previous

    def add_path(self, path: Mapping[str, Any]) -> None:
        """Store one path, given as garage's buffers take it.

        Args:
            path: arrays of T rows: `observation`, `action`, `reward`, `next_observation`, and
                `terminal` or `step_type`; of both, `terminal` says what terminated. Without an
                env_spec the first path may have any arrays of two dimensions; then all have the
                same.

        Raises:
            ValueError: if one is missing, or is not what the environment's spaces say.
        """
        rows = {key: np.asarray(value) for key, value in path.items()}
        missing = {"observation", "action", "reward", "next_observation"} - rows.keys()
        if missing and self._env_spec is None and holds_others(self._table):
            self._add_others(rows)
            return
        if missing or not rows.keys() & {"terminal", "step_type"}:
            raise ValueError(
                f"{type(self).__name__}.add_path: expected observation, action, reward,"
                f" next_observation and terminal, got {', '.join(rows)}"
            )
        count = len(rows["reward"])
        types = rows.get("step_type", np.where(np.arange(count) == 0, _FIRST, _MID)).reshape(count)
        if "terminal" in rows:
            ended = np.where(types == _TERMINAL, _TIMEOUT, types)
            types = np.where(rows["terminal"].reshape(count), _TERMINAL, ended)
        ends = np.unique(np.append(np.flatnonzero(types >= _TERMINAL), count - 1))
        spec = self._env_spec or EnvSpec(_space_of(rows["observation"]), _space_of(rows["action"]))
        self._store(
            EpisodeBatch(
                env_spec=spec,
                episode_infos_by_episode={},
                observations=rows["observation"],
                last_observations=rows["next_observation"][ends],
                actions=rows["action"],
                rewards=rows["reward"].reshape(count),
                env_infos={},
                agent_infos={},
                step_types=types.astype(np.uint8),
                lengths=np.diff(ends, prepend=-1),
            )
        )

    def _add_others(self, rows: Transitions) -> None:
        """Store a path of columns that are no transition's: whatever the first one had."""
        owner = f"{type(self).__name__}.add_path"
        count = check_others(owner, rows, self._table, self._capacity)
        if self._table is None:
            kinds = {key: (array.dtype, array.shape[1:]) for key, array in rows.items()}
            self._table = Table(self._capacity, {**kinds, "segment": (np.dtype(np.int32), ())})
        start, none = 0, np.full(1, -1)
        while start < count:
            stop = min(count, start + self._capacity - self._cursor)
            piece = {key: array[start:stop] for key, array in rows.items()}
            self._append(piece, np.array([stop - start]), start > 0, self._table, none)
            start = stop

    def _append(
        self,
        values: Transitions,
        lengths: np.ndarray,
        goes_on: bool,
        table: Table,
        previous: np.ndarray,
    ) -> list[int]:
        """Write rows that fit between the cursor and the end of the ring; return segments' slots.

        Args:
            values: columns of as many rows as all segments have.
            lengths: rows of each segment.
            goes_on: whether the first of them continues the newest segment.
            table: where to.
            previous: slot of the segment that each of them goes on from; -1: none.
        """
        each = lengths.tolist()
        cursor, count = self._cursor, sum(each)
        self._segments.drop_oldest_rows(max(0, table.num_rows + count - self._capacity))
        slots, start = [], cursor
        for number, length in enumerate(each):
            if number == 0 and goes_on and self._segments.num_segments:
                slots.append(self._segments.extend_newest(length))
            else:
                slots.append(self._segments.append(start, length, int(previous[number])))
            start += length
        values["segment"] = np.array(slots[0]) if len(slots) == 1 else np.repeat(slots, lengths)
        table.write(cursor, values)
        self._cursor = start % self._capacity
        self._rows_written(cursor, count)
        if self._cursor == 0:
            self._ring_filled()
        return slots

    def _rows_written(self, start: int, count: int) -> None:
        """Take note of new rows; a buffer that keeps more about its rows overrides this."""

    def _ring_filled(self) -> None:
        """Take note that the last row has been written, and that the first one is next."""

    def _continues_newest(self, values: Transitions, table: Table) -> bool:
        """Whether the first of these steps directly follows the newest one that is stored."""
        if not self._segments.num_segments or values["step_type"][0] == _FIRST:
            return False
        newest = table.row((self._cursor - 1) % self._capacity)
        if newest["step_type"] >= _TERMINAL:
            return False
        stored, following = newest["next_observation"], values["observation"][0]
        same = stored == np.asarray(following).astype(stored.dtype)
        return bool(np.count_nonzero(same) == same.size)  # in a fifth of the time of `all`

    def _filled_table(self, method: str) -> Table:
        if self._table is None or not self._table.num_rows:
            raise ValueError(
                f"{type(self).__name__}.{method}: the buffer is empty; call "
                "add_episode_batch(episodes) first"
            )
        return self._table


def _paths_of(episodes: EpisodeBatch) -> Iterator[dict[str, np.ndarray]]:
    """Yield the paths of a batch as `add_path` takes them."""
    for stop, count in zip(episodes.ends, episodes.lengths, strict=True):
        rows = slice(stop - count, stop)
        types = episodes.step_types[rows]
        yield {
            "observation": episodes.observations[rows],
            "action": episodes.actions[rows],
            "reward": episodes.rewards[rows, None],
            "next_observation": episodes.next_observations[rows],
            "terminal": (types == _TERMINAL)[:, None],
            "step_type": types,
        }


def _check_capacity(owner: str, capacity: Any) -> None:
    if isinstance(capacity, bool) or not isinstance(capacity, int | np.integer):
        raise TypeError(f"{owner}: capacity_in_transitions must be an integer, got {capacity!r}")
    if capacity < 1:
        raise ValueError(f"{owner}: capacity_in_transitions must be at least 1, got {capacity!r}")


def _space_of(rows: np.ndarray) -> spaces.Box:
    """Return a space that has room for rows of which no more is known."""
    if rows.dtype.kind in "iu":
        limits = np.iinfo(rows.dtype)
        return spaces.Box(limits.min, limits.max, rows.shape[1:], rows.dtype.type)
    return spaces.Box(-np.inf, np.inf, rows.shape[1:], np.float32)
