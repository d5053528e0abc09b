"""PrioritizedReplayBuffer: replay memory that draws what surprised the learner more often."""

from __future__ import annotations

import os

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.replay_buffer.memory_files import FileFormat, Memory
from garage_like.replay_buffer.path_buffer import PathBuffer
from garage_like.replay_buffer.sum_tree import SumTree
from garage_like.replay_buffer.transitions import Transitions, as_added


class PrioritizedReplayBuffer(PathBuffer):
    """Draw transitions in proportion to (|error| + epsilon) ** alpha.

    Proportional prioritization, Schaul et al. 2016, arXiv:1511.05952. A new transition gets the
    largest priority so far, so it is soon drawn; a batch takes one transition from each of B equal
    parts of the total; weights make up for the bias, by more and more as beta goes to 1.

    Args:
        alpha: 0 draws uniformly, 1 in full proportion.
        beta: how far weights correct the bias at first; 1 is fully.
        beta_samples: transitions drawn until beta has grown to 1, linearly.
        epsilon: added to errors, so that none is never drawn again.
        export_when_full: as in PathBuffer.
        export_format: as in PathBuffer.

    Raises:
        ValueError: if an argument is out of range.
    """

    _largest_priority: float

    def __init__(
        self,
        capacity_in_transitions: int,
        env_spec: EnvSpec | None = None,
        *,
        alpha: float = 0.6,
        beta: float = 0.4,
        beta_samples: int = 1_000_000,
        epsilon: float = 1e-6,
        export_when_full: str | os.PathLike[str] | None = None,
        export_format: FileFormat = "pt",
    ) -> None:
        for name, value in (("alpha", alpha), ("beta", beta)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(
                    f"PrioritizedReplayBuffer: {name} must be in [0, 1], got {value!r}"
                )
        if beta_samples < 1:
            raise ValueError(
                f"PrioritizedReplayBuffer: beta_samples must be at least 1, got {beta_samples!r}"
            )
        if not epsilon > 0.0:
            raise ValueError(f"PrioritizedReplayBuffer: epsilon must be positive, got {epsilon!r}")
        super().__init__(
            capacity_in_transitions,
            env_spec,
            export_when_full=export_when_full,
            export_format=export_format,
        )
        self._alpha = alpha
        self._first_beta = beta
        self._beta_samples = beta_samples
        self._epsilon = epsilon
        self._num_samples = 0

    @property
    def beta(self) -> float:
        """How far weights correct the bias by now."""
        progress = min(1.0, self._num_samples / self._beta_samples)
        return self._first_beta + (1.0 - self._first_beta) * progress

    def sample_transitions(self, batch_size: int) -> Transitions:
        """Draw transitions in proportion to their priorities.

        Returns:
            The columns of PathBuffer, and: weight, shape (B,), float32, at most 1, by which each
            transition's loss is to be multiplied; row, shape (B,), where it is stored.

        Raises:
            ValueError: if nothing is stored.
        """
        table = self._filled_table("sample_transitions")
        priorities = self._priorities
        parts = np.arange(batch_size) + self._rng.random(batch_size)
        rows = priorities.find(parts * (priorities.total / batch_size))
        transitions = as_added(table, table.take(rows))
        # (N P)^-beta over its maximum: N and the total cancel.
        chosen = priorities.weights[rows]
        transitions["weight"] = ((chosen / chosen.min()) ** -self.beta).astype(np.float32)
        transitions["row"] = rows
        self._num_samples += batch_size
        return transitions

    def update_priorities(self, transitions: Transitions, errors: np.ndarray) -> None:
        """Replace the priorities of transitions by what was learned about them.

        Args:
            transitions: as drawn.
            errors: shape (B,), temporal-difference errors; their sign does not matter.

        Raises:
            ValueError: if an error is not finite.
        """
        errors = np.abs(np.asarray(errors, np.float64))
        if not np.isfinite(errors).all():
            raise ValueError(
                "PrioritizedReplayBuffer.update_priorities: errors must be finite, got "
                f"{errors!r}; training has diverged: lower the learning rate"
            )
        priorities = (errors + self._epsilon) ** self._alpha
        self._priorities.set(transitions["row"], priorities)
        self._largest_priority = max(self._largest_priority, float(priorities.max()))

    def _move_to(self, capacity: int, rows: np.ndarray) -> None:
        priorities, largest = self._priorities.weights[rows], self._largest_priority
        super()._move_to(capacity, rows)
        self._largest_priority = largest
        self._priorities.set(np.arange(len(rows)), priorities)

    def clear(self) -> None:
        super().clear()
        self._priorities = SumTree(self._capacity)
        self._largest_priority = 1.0

    def _rows_written(self, start: int, count: int) -> None:
        rows = np.arange(start, start + count)
        self._priorities.set(rows, np.full(count, self._largest_priority))

    def _add_to_export(self, memory: Memory) -> None:
        memory.columns["priority"] = self._priorities.weights
        memory.extras["largest_priority"] = self._largest_priority
        memory.extras["num_samples"] = self._num_samples

    def _take_from_import(self, memory: Memory) -> None:
        """Take priorities, or give each transition the same if the file has none.

        Raises:
            ValueError: if priorities are not positive numbers, one for each row.
        """
        largest = memory.extras.get("largest_priority", 1.0)
        priorities = memory.columns.get("priority", np.full(memory.num_rows, largest))
        if priorities.ndim != 1 or not (np.isfinite(priorities) & (priorities > 0.0)).all():
            raise ValueError(
                "PrioritizedReplayBuffer.load: priorities must be positive numbers, one for each "
                f"transition, got {priorities!r}"
            )
        self._largest_priority = largest
        self._num_samples = memory.extras.get("num_samples", 0)
        self._priorities.clear()
        self._priorities.set(np.arange(memory.num_rows), priorities)
