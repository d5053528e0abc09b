"""When a snapshot is taken, and which are kept: two small decisions, free of any file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from garage_like.snapshot.config import SnapshotConfig

AUTO_COUNT = 10
AUTO_ROWS = 100
ALWAYS_KEPT = 2


@dataclass(frozen=True)
class Progress:
    """How far a run is: epochs, env steps and episodes finished, and the epochs it will have."""

    epoch: int
    n_epochs: int
    env_steps: int = 0
    episodes: int = 0


@dataclass(frozen=True)
class Kept:
    """What retention needs to know of a snapshot that is on the disk."""

    epoch: int
    metric: float | None = None
    on_gap: bool = True


KEPT_BY = ("epoch", "metrics", "on_gap")
"""What of a manifest says the same."""


def on_gap(config: SnapshotConfig, before: Progress, now: Progress) -> bool:
    """Tell whether the epoch just finished is one of every `snapshot_gap`, or the final one.

    Counted in epochs, epoch 0 and every gap-th after it are. Counted in env steps or episodes, an
    epoch is if it crossed a multiple of the gap. `'auto'` spreads min(10, n_epochs) over the run,
    the final epoch among them.
    """
    gap = config.snapshot_gap
    if now.epoch + 1 >= now.n_epochs:
        return True
    if gap == "auto":
        return _is_spread(AUTO_COUNT, now.epoch, now.n_epochs)
    if gap <= 0:
        return False
    if config.gap_unit == "epoch":
        return now.epoch % gap == 0
    if config.gap_unit == "env_step":
        return now.env_steps // gap > before.env_steps // gap
    return now.episodes // gap > before.episodes // gap


def _is_spread(count: int, epoch: int, n_epochs: int) -> bool:
    return (epoch + 1) * count // n_epochs > epoch * count // n_epochs


def is_row_due(config: SnapshotConfig, epoch: int, n_epochs: int) -> bool:
    """Tell whether the epoch just finished gets a row in the log, as `log_interval` says.

    Epoch 0, every so-many-th after it and the final one do; `'auto'` spreads min(100, n_epochs)
    over the run, the final epoch among them.
    """
    interval = config.log_interval
    if interval == "auto":
        return _is_spread(AUTO_ROWS, epoch, n_epochs)
    return interval > 0 and (epoch % interval == 0 or epoch + 1 >= n_epochs)


def is_due(
    config: SnapshotConfig,
    before: Progress,
    now: Progress,
    metric: float | None,
    kept: Sequence[Kept],
) -> bool:
    """Tell whether a snapshot of the epoch just finished must be taken.

    Args:
        config: mode, gap and what counts as best.
        before: progress at the end of the previous epoch.
        now: progress at the end of this epoch.
        metric: this epoch's `best_metric`, or None if it was not logged.
        kept: the snapshots on the disk.
    """
    if config.saves_nothing:
        return False
    if config.snapshot_mode in ("all", "last", "gap_and_last") and config.snapshot_gap != "auto":
        return True
    return on_gap(config, before, now) or enters_best(config, metric, kept)


def enters_best(config: SnapshotConfig, metric: float | None, kept: Sequence[Kept]) -> bool:
    """Tell whether a metric is among the best so far; NaN never is."""
    rank = config.best_rule.rank(metric)
    if not config.keep_best or rank is None:
        return False
    ranks = [rank for _, rank in _ranked(config, kept)]
    if len(ranks) < config.keep_best:
        return True
    return rank > ranks[config.keep_best - 1]


def best_epochs(config: SnapshotConfig, kept: Sequence[Kept]) -> list[int]:
    """Return the epochs of the `keep_best` best, the best first; ties go to the earlier."""
    return [epoch for epoch, _ in _ranked(config, kept)[: config.keep_best]]


def _ranked(config: SnapshotConfig, kept: Sequence[Kept]) -> list[tuple[int, float]]:
    """Return epochs with their ranks, the best first; those that cannot be judged are left out."""
    ranks = ((k.epoch, config.best_rule.rank(k.metric)) for k in kept)
    judged = [(epoch, rank) for epoch, rank in ranks if rank is not None]
    return sorted(judged, key=lambda found: (-found[1], found[0]))


def to_remove(
    config: SnapshotConfig,
    kept: Sequence[Kept],
    is_pinned: Callable[[int], bool] = lambda epoch: False,
    is_good: Callable[[int], bool] = lambda epoch: True,
) -> list[int]:
    """Return the epochs whose snapshots go, oldest first.

    Never the two newest, the two newest that verify, the best, the pinned, or those of
    `keep_period`. If fewer than two verify, none goes. A newest but one that is damaged stays for
    what it stands between: its two neighbours share files.

    Args:
        config: mode and what is kept beside the newest.
        kept: the snapshots on the disk.
        is_pinned: tells whether an epoch stays; asked of those that would go.
        is_good: tells whether the snapshot of an epoch verifies; asked of the newest first, until
            two do.
    """
    if config.snapshot_mode == "all" and config.max_to_keep is None:
        return []
    epochs = sorted(k.epoch for k in kept)
    good = list(itertools.islice(filter(is_good, reversed(epochs)), ALWAYS_KEPT))
    if len(good) < ALWAYS_KEPT:
        return []
    stay = {*epochs[-ALWAYS_KEPT:], *good, *best_epochs(config, kept)}
    if config.keep_period:
        stay.update(epoch for epoch in epochs if epoch % config.keep_period == 0)
    if config.max_to_keep is not None:
        stay.update(epochs[-config.max_to_keep :])
    elif config.snapshot_mode in ("gap", "gap_and_last") or _keeps_ten(config):
        stay.update(k.epoch for k in kept if k.on_gap)
    return [epoch for epoch in epochs if epoch not in stay and not is_pinned(epoch)]


def _keeps_ten(config: SnapshotConfig) -> bool:
    """Tell whether the ten snapshots of `'auto'` stay, since the mode is the default."""
    return config.snapshot_gap == "auto" and config.snapshot_mode == "last"


def keeps_only_newest(config: SnapshotConfig) -> bool:
    """Tell whether an older snapshot is of no use once there is a newer one."""
    return (
        config.snapshot_mode in ("last", "gap_overwrite")
        and not _keeps_ten(config)
        and not config.keep_best
        and config.keep_period is None
        and config.max_to_keep in (None, 1)
    )
