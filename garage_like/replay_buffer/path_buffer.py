"""PathBuffer: replay memory that draws transitions uniformly."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from garage_like import seeding
from garage_like.data.batches import TimeStepBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.data.table import Table
from garage_like.replay_buffer import memory_files
from garage_like.replay_buffer.memory_files import FileFormat
from garage_like.replay_buffer.transition_ring import TransitionRing
from garage_like.replay_buffer.transitions import (
    Transitions,
    as_added,
    check_columns,
    columns_of,
    holds_others,
    listed,
)

# Columns of a file that one kind of buffer writes and another may leave aside.
_BESIDE_ROWS = {"priority", "previous"}


class PathBuffer(TransitionRing):
    """Keep the newest transitions in a ring, and draw from them, each as likely as any other.

    Numbers are kept as float32, integers and bytes as they are. Memory is touched only where
    transitions have been written: capacity by itself costs nothing.

    Args:
        export_when_full: a directory that gets a file each time the last row has been filled:
            `memory_000000.pt`, `memory_000001.pt`, ... Together they are all that was ever stored.
        export_format: format of those files.

    Raises:
        ValueError: if the capacity is not positive, or the format is not known.
    """

    def __init__(
        self,
        capacity_in_transitions: int,
        env_spec: EnvSpec | None = None,
        *,
        export_when_full: str | os.PathLike[str] | None = None,
        export_format: FileFormat = "pt",
    ) -> None:
        memory_files.check_format(type(self).__name__, export_format)
        super().__init__(capacity_in_transitions, env_spec)
        self._export_when_full = None if export_when_full is None else Path(export_when_full)
        self._export_format = export_format
        self._num_exports = 0
        self._rng = seeding.stream("replay buffer")

    def sample_transitions(self, batch_size: int) -> Transitions:
        """Draw transitions, each as likely as any other, with replacement.

        Returns:
            observation, shape (B, O*); action, shape (B, A*) or (B,); reward, shape (B,);
            next_observation, shape (B, O*); step_type, shape (B,), StepType as uint8; segment,
            shape (B,), equal for transitions of one path. All are views of one array.

        Raises:
            ValueError: if nothing is stored.
        """
        table = self._filled_table("sample_transitions")
        return as_added(table, table.take(self._draw_rows(table, batch_size)))

    def sample_histories(self, batch_size: int, length: int) -> Transitions:
        """Draw transitions as `sample_transitions` does, with the steps of their paths before them.

        Args:
            batch_size: B.
            length: L, env steps of a history, the transition's own included.

        Returns:
            The columns of `sample_transitions`, and `history_observation`, shape (B, L, O*), and
            `history_action`, shape (B, L, A*) or (B, L), from the oldest on; `history_steps`, shape
            (B,): which of them is the transition's own. What comes after it means nothing.

        Raises:
            ValueError: if nothing is stored, or paths of columns of their own are.
            TypeError: if this buffer draws transitions in a way of its own.
        """
        if type(self).sample_transitions is not PathBuffer.sample_transitions:
            raise TypeError(
                f"{type(self).__name__} draws transitions without those before them; a recurrent "
                "policy learns from a PathBuffer"
            )
        table = self._filled_table("sample_histories")
        if holds_others(table):
            raise ValueError(
                f"{type(self).__name__}.sample_histories: histories are of observations and actions"
                f"; this buffer holds {', '.join(sorted(table.columns.keys() - {'segment'}))}"
            )
        rows = self._draw_rows(table, batch_size)
        drawn = table.take(rows)
        window = np.empty((batch_size, length), np.int64)
        window[:] = rows[:, None]
        back, at, slots = np.zeros(batch_size, np.int64), rows, drawn["segment"].astype(np.int64)
        for number in range(1, length):
            earlier, slots = self._segments.step_back(at, slots)
            goes_on = (earlier >= 0) & (back == number - 1)
            back += goes_on
            at = np.where(goes_on, earlier, at)
            window[:, number] = at
        # From the oldest on; what lies behind the transition's own row is that row again.
        order = np.maximum(back[:, None] - np.arange(length), 0)
        window = np.take_along_axis(window, order, axis=1)
        before = table.take(window.reshape(-1))
        history = {
            f"history_{name}": before[name].reshape(batch_size, length, *before[name].shape[1:])
            for name in ("observation", "action")
        }
        return {**drawn, **history, "history_steps": back}

    def _draw_rows(self, table: Table, batch_size: int) -> np.ndarray:
        """Draw row numbers, shape (B,), in a third of the time that `integers` takes."""
        return (self._rng.random(batch_size) * table.num_rows).astype(np.int64)

    def sample_timesteps(self, batch_size: int) -> TimeStepBatch:
        """Draw transitions as `sample_transitions` does; return them as a batch."""
        return self._as_batch(self.sample_transitions(batch_size))

    def sample_path(self) -> Transitions:
        """Draw one episode, or what is left of it, each as likely as any other.

        Returns:
            The columns of `sample_transitions`, in the order in which the steps were taken.

        Raises:
            ValueError: if nothing is stored.
        """
        table = self._filled_table("sample_path")
        slot = self._segments.slot(int(self._rng.integers(self._segments.num_segments)))
        starts, lengths = self._segments.locate(np.array([slot]))
        return as_added(table, table.take((starts + np.arange(lengths[0])) % self._capacity))

    def update_priorities(self, transitions: Transitions, errors: np.ndarray) -> None:
        """Do nothing: every transition stays as likely as any other.

        Args:
            transitions: as drawn.
            errors: shape (B,), how far off each was.
        """

    def _as_batch(self, transitions: Transitions) -> TimeStepBatch:
        if self._env_spec is None:
            raise ValueError(
                f"{type(self).__name__}.sample_timesteps needs to know the environment; pass "
                "env_spec to the constructor"
            )
        return TimeStepBatch(
            env_spec=self._env_spec,
            observations=transitions["observation"],
            actions=transitions["action"],
            rewards=transitions["reward"],
            next_observations=transitions["next_observation"],
            step_types=transitions["step_type"],
        )

    def _ring_filled(self) -> None:
        if self._export_when_full is not None:
            name = f"memory_{self._num_exports:06d}.{self._export_format}"
            self._num_exports += 1
            self.export(self._export_when_full / name, self._export_format)

    def export(self, path: str | os.PathLike[str], format: FileFormat | None = None) -> None:
        """Write all transitions to one file, which `load` reads back exactly.

        Args:
            path: the file; it is there whole or not at all.
            format: 'pt' for `torch.load`, 'npz' for `numpy.load`, 'csv' for anything else; None
                takes the file's suffix.
        """
        table = self._filled_table("export")
        memory = memory_files.Memory(
            capacity=self._capacity,
            cursor=self._cursor,
            columns={name: table.column(name) for name in table.columns},
            extras={"tails": self._tails} if self._tails else {},
        )
        previous = self._segments.previous_of(table.column("segment").astype(np.int64))
        if (previous >= 0).any():
            memory.columns["previous"] = previous.astype(np.int32)
        self._add_to_export(memory)
        memory_files.write(Path(path), format, memory)

    def load(self, path: str | os.PathLike[str], format: FileFormat | None = None) -> None:
        """Replace all transitions by those of a file, and go on after them.

        What `export` wrote comes back exactly. A file without its header, as `garage-like export
        --table` writes it, holds transitions alone, the oldest first, and fits any capacity.

        Args:
            path: the file.
            format: as for `export`.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no replay memory, if it is damaged, or if capacity or columns are
                not this buffer's; the buffer is then unchanged.
        """
        memory = memory_files.read(Path(path), format)
        table = self._fresh_table_for(memory, Path(path))
        self._take_from_import(memory)
        table.write(0, memory.columns)
        self._table, self._cursor = table, memory.cursor % self._capacity
        self._tails = list(memory.extras.get("tails", []))
        oldest = self._cursor if memory.num_rows == self._capacity else 0
        slots, previous = (
            None if name not in memory.columns else np.roll(memory.columns[name], -oldest)
            for name in ("segment", "previous")
        )
        assert slots is not None
        self._segments.rebuild(slots, oldest, previous)

    def _fresh_table_for(self, memory: memory_files.Memory, path: Path) -> Table:
        owner = type(self).__name__
        if memory.capacity is None:
            return self._table_for_plain(memory, path)
        if memory.capacity != self._capacity:
            raise ValueError(
                f"{owner}.load: {path} was written by a buffer with room for {memory.capacity} "
                f"transitions, this one has room for {self._capacity}; make it with "
                f"capacity_in_transitions={memory.capacity}"
            )
        theirs = {
            name: (array.dtype, array.shape[1:])
            for name, array in memory.columns.items()
            if name not in _BESIDE_ROWS
        }
        table = Table(
            self._capacity, theirs if self._env_spec is None else columns_of(self._env_spec)
        )
        ours = {name: (column.dtype, column.shape) for name, column in table.columns.items()}
        if ours != theirs:
            raise ValueError(
                f"{owner}.load: {path} holds the columns {listed(theirs)}; this buffer has "
                f"{listed(ours)}"
            )
        return table

    def _table_for_plain(self, memory: memory_files.Memory, path: Path) -> Table:
        """Make a table for columns that no header describes; they become what the buffer keeps."""
        owner = f"{type(self).__name__}.load: {path}"
        if self._env_spec is None:
            raise ValueError(f"{owner} does not say what its columns are; pass env_spec")
        table = Table(self._capacity, columns_of(self._env_spec))
        if memory.num_rows > self._capacity:
            raise ValueError(
                f"{owner} holds {memory.num_rows} transitions, more than {self._capacity}; make the"
                " buffer larger"
            )
        missing = table.columns.keys() - memory.columns.keys()
        if missing:
            raise ValueError(f"{owner} lacks the columns {sorted(missing)}")
        check_columns(owner, {name: memory.columns[name] for name in table.columns}, table)
        return table

    def _add_to_export(self, memory: memory_files.Memory) -> None:
        """Add what a kind of buffer knows beside its rows."""

    def _take_from_import(self, memory: memory_files.Memory) -> None:
        """Take back what `_add_to_export` added; check it before anything is changed."""
