"""What a run remembers of itself besides its objects: arguments of `train`, counters, log lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from garage_like.configuration.plain_numbers import as_plain


@dataclass
class TrainArgs:
    """Arguments of `Trainer.train`, as a snapshot keeps them.

    Attributes:
        n_epochs: epochs that the run has in total.
        batch_size: env steps to collect in an epoch, or None if the algorithm knows by itself.
        plot: whether the policy is shown after each epoch.
        store_episodes: whether a snapshot keeps the epoch's episodes.
        pause_for_plot: whether to wait for a key after showing the policy.
        start_epoch: first epoch that is still to do.
        stage: number of the call of `train` in the run, from 0.
        stage_start: epoch with which that began.
        stopped_by: the callback, or loop, that ended it before its time; '' if none did.
    """

    n_epochs: int
    batch_size: int | None = None
    plot: bool = False
    store_episodes: bool = False
    pause_for_plot: bool = False
    start_epoch: int = 0
    stage: int = 0
    stage_start: int = 0
    stopped_by: str = ""

    def __post_init__(self) -> None:
        """Check the numbers."""
        for field_ in fields(self):
            setattr(self, field_.name, as_plain(getattr(self, field_.name)))
        check_count("n_epochs", self.n_epochs, 0)
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size, 1)


class OpenEpoch(NamedTuple):
    """An epoch that the loop's body has not come through.

    Attributes:
        epoch: its number.
        started: when it began.
        itr: garage's counter of train calls then.
        mark: what it is all but sure to change, as it was then.
    """

    epoch: int
    started: float
    itr: int
    mark: tuple[Any, ...]


@dataclass
class Stats:
    """Counters of a run, and the last episodes if they are stored.

    Attributes:
        total_epoch: the last epoch that was finished, or -1.
        total_itr: garage's counter of train calls.
        total_env_steps: env steps so far.
        total_episodes: episodes so far.
        train_seconds: time spent training so far, over all resumes.
        last_episode: the last epoch's episodes, if `store_episodes`.
        tracked: what `track_data` was given since the last row of the log.
        passed_over: the row of the last epoch, if `log_interval` let it go by; None: it is written.
    """

    total_epoch: int = -1
    total_itr: int = 0
    total_env_steps: int = 0
    total_episodes: int = 0
    train_seconds: float = 0.0
    last_episode: Any = None
    tracked: dict[str, tuple[int, float]] = field(default_factory=dict)
    passed_over: dict[str, Any] | None = None


def check_count(name: str, value: Any, least: int) -> None:
    """Raise unless a value is an integer of at least `least`."""
    value = as_plain(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def restored_lines(args: TrainArgs, stats: Stats) -> Iterable[str]:
    """Yield the lines that a restore logs: what the run was asked for, and how far it came."""
    yield f"{'-- Train Args --':<20} -- Value --"
    shown = asdict(args)
    shown["last_epoch"] = stats.total_epoch
    for key in ("n_epochs", "last_epoch", "batch_size", "store_episodes", "pause_for_plot"):
        value = shown[key]
        yield f"{key:<20} {int(value) if isinstance(value, bool) else value}"
    yield f"{'-- Stats --':<20} -- Value --"
    yield f"{'last_itr':<20} {stats.total_itr}"
    yield f"{'total_env_steps':<20} {stats.total_env_steps}"
