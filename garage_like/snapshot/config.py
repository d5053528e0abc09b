"""SnapshotConfig: where snapshots go, when one is taken, and which are kept."""

import math
import os
from dataclasses import dataclass, fields
from numbers import Real
from pathlib import Path
from typing import Any, Literal, Self, get_args

from garage_like.configuration.comparison import ConfigPolicy, check_config_policy
from garage_like.configuration.plain_numbers import as_plain
from garage_like.configuration.shown_options import show_fields
from garage_like.errors import SnapshotCorruptError
from garage_like.files.run_files import EXPERIMENT, recorded_options
from garage_like.snapshot.best_rule import MODES, BestRule, Mode

SnapshotMode = Literal["all", "last", "gap", "gap_overwrite", "gap_and_last", "none"]
GapUnit = Literal["epoch", "env_step", "episode"]
OnSaveError = Literal["warn", "raise"]
SNAPSHOT_MODES: tuple[SnapshotMode, ...] = get_args(SnapshotMode)


@dataclass(frozen=True, kw_only=True)
class SnapshotOptions:
    """Say when a snapshot is taken, and which are kept: what may be said before a run has a place.

    The final epoch is always saved (unless the mode is `'none'`). Pruning never removes the last,
    the best or a pinned snapshot, and always leaves two that verify.

    Attributes:
        snapshot_mode: `'all'` saves and keeps every epoch; `'last'` saves every epoch and keeps the
            newest; `'gap'` saves and keeps every `snapshot_gap`; `'gap_overwrite'` saves every
            `snapshot_gap` and keeps the newest; `'gap_and_last'` saves every epoch and keeps every
            `snapshot_gap` and the newest; `'none'` saves nothing.
        snapshot_gap: distance between two snapshots in `gap_unit`, or `'auto'` for ten over the
            run, all of which are kept unless the mode is `'gap_overwrite'`. 0 or less turns saving
            off.
        gap_unit: `'epoch'`, `'env_step'` or `'episode'`.
        max_to_keep: keep at most so many of the newest snapshots, whatever the mode; None: as the
            mode says.
        keep_best: keep so many with the best `best_metric`; an epoch that enters the best is saved
            even when none is due.
        best_metric: a key of the log's table.
        best_mode: `'max'` or `'min'`.
        keep_period: keep for ever the snapshots of every `keep_period`-th epoch.
        include_buffer: whether replay memory is saved.
        async_save: whether files are written while training goes on.
        max_stall: share of the time that training may stand still for snapshots where only the
            newest is kept, and half of what they and the thread that writes them may take of its
            time: an epoch that ends too soon after one was taken gives way to a later one
            (`num_replaced` counts them). The final epoch never does; 1 saves every epoch.
        on_save_error: what becomes of training when a snapshot cannot be written, a full disk say:
            `'warn'` goes on, logs it and counts it in `Snapshot/Failures`; `'raise'` ends it with
            the error at the next safe point. Earlier snapshots are intact in both cases.
        check_env: whether copies of an environment that is not known may be stepped, about 60 steps
            once in a process, to find out whether it survives a snapshot. What they would write or
            send is stopped before it happens; what C code does by itself is not. False steps none,
            and then the label of such a run is not exact.
        auto_resume: whether `Trainer.train` continues a run that it finds in `snapshot_dir`.
        try_restore: whether a snapshot that brings new classes of objects, the first above all, is
            restored once in a process of its own, to see whether all of it comes back.
        config_policy: what a restore does if a snapshot was made with other arguments than what was
            set up, unless it is told: `'error'`; `'update'` goes on with what is set up now,
            `'warn'` as far as that can be changed, and `'ignore'` with the snapshot's; see
            `Trainer.restore`.
        log_interval: epochs from one row of the log to the next, or `'auto'` for a hundred over the
            run, the final epoch always among them. 0 or less writes no rows.
        mirror: URL (`s3://…`, `gs://…`, `az://…`, `file:///…`) that a copy of the newest snapshots
            goes to while training goes on; with `auto_resume`, a run directory that is lost comes
            back from there. Each run needs a URL of its own. Needs the extra `remote`.
        video_interval: epochs from one video of the policy to the next, in `videos/`; 0 films none.

    Raises:
        ValueError: if a value is out of range, or two contradict each other.
        TypeError: if a value has the wrong type.
    """

    snapshot_mode: SnapshotMode = "last"
    snapshot_gap: int | Literal["auto"] = 1
    gap_unit: GapUnit = "epoch"
    max_to_keep: int | None = None
    keep_best: int = 0
    best_metric: str = BestRule.metric
    best_mode: Mode = BestRule.mode
    keep_period: int | None = None
    include_buffer: bool = True
    async_save: bool = True
    max_stall: float = 0.004
    on_save_error: OnSaveError = "warn"
    check_env: bool = True
    auto_resume: bool = False
    try_restore: bool = True
    mirror: str | None = None
    config_policy: ConfigPolicy = "error"
    log_interval: int | Literal["auto"] = 1
    video_interval: int = 0

    def __post_init__(self) -> None:
        """Check every value, and that they agree; NumPy's numbers become Python's."""
        for name in self.option_names():
            object.__setattr__(self, name, as_plain(getattr(self, name)))
        _check_choice("snapshot_mode", self.snapshot_mode, SNAPSHOT_MODES)
        _check_choice("gap_unit", self.gap_unit, get_args(GapUnit))
        _check_choice("best_mode", self.best_mode, MODES)
        check_config_policy(self.config_policy)
        _check_choice("on_save_error", self.on_save_error, get_args(OnSaveError))
        if self.snapshot_gap != "auto":
            _check_int("snapshot_gap", self.snapshot_gap, -math.inf, " or 'auto'")
        if self.log_interval != "auto":
            _check_int("log_interval", self.log_interval, -math.inf, " or 'auto'")
        _check_int("video_interval", self.video_interval, 0)
        if self.max_to_keep is not None:
            _check_int("max_to_keep", self.max_to_keep, 1, " or None")
        _check_int("keep_best", self.keep_best, 0)
        if self.keep_period is not None:
            _check_int("keep_period", self.keep_period, 1, " or None")
        for name in ("include_buffer", "async_save", "check_env", "auto_resume", "try_restore"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if self.mirror is not None:
            from garage_like.snapshot.mirror.place import check_url

            object.__setattr__(self, "mirror", check_url(self.mirror))
        if not isinstance(self.max_stall, Real) or not 0.0 < self.max_stall <= 1.0:
            raise ValueError(f"max_stall must lie in (0, 1], got {self.max_stall!r}")
        if not isinstance(self.best_metric, str) or not self.best_metric:
            raise TypeError(f"best_metric must be a key of the log, got {self.best_metric!r}")
        if self.snapshot_mode == "none" and (
            self.keep_best or self.keep_period or self.max_to_keep
        ):
            raise ValueError(
                "snapshot_mode='none' saves nothing, so keep_best, keep_period and max_to_keep have"
                " nothing to keep; choose another mode or leave them out"
            )

    @property
    def best_rule(self) -> BestRule:
        """What its snapshots are judged by."""
        return BestRule(self.best_metric, self.best_mode)

    @property
    def saves_nothing(self) -> bool:
        """Whether saving is switched off."""
        return self.snapshot_mode == "none" or (
            self.snapshot_gap != "auto" and self.snapshot_gap <= 0
        )

    @staticmethod
    def option_names() -> tuple[str, ...]:
        """Names of these options."""
        return tuple(f.name for f in fields(SnapshotOptions))


@show_fields
@dataclass(frozen=True, kw_only=True)
class SnapshotConfig(SnapshotOptions):
    """Say where snapshots go, when one is taken, and which are kept.

    The final epoch is always saved (unless the mode is `'none'`). Pruning never removes the last,
    the best or a pinned snapshot, and always leaves two that verify.

    Attributes:
        snapshot_dir: the run directory; snapshots lie in its `snapshots/`. A relative one counts
            from where the script is when it is given. Left out, a Trainer
            makes `data/local/experiment/<algorithm>_<environment>_<time>` when it trains.
    """

    snapshot_dir: str | os.PathLike[str] = ""

    def __post_init__(self) -> None:
        """Check every value, and that they agree; the directory becomes an absolute path."""
        super().__post_init__()
        if not isinstance(self.snapshot_dir, str | os.PathLike):
            raise TypeError(f"snapshot_dir must be a path, got {self.snapshot_dir!r}")
        if self.has_directory:  # absolute from here on: a script may change its directory later
            object.__setattr__(self, "snapshot_dir", _absolute(self.snapshot_dir))
        if self.auto_resume and not self.has_directory:
            raise ValueError("auto_resume=True needs a snapshot_dir, where the run is to be found")

    @property
    def run_dir(self) -> Path:
        """The run directory as a path."""
        return Path(self.snapshot_dir)

    @property
    def has_directory(self) -> bool:
        """Whether the run directory is known."""
        return bool(os.fspath(self.snapshot_dir))

    @classmethod
    def recorded(cls, run_dir: Path, **otherwise: Any) -> Self:
        """Return the configuration that a run of any origin was made with, as far as it says.

        Args:
            run_dir: the run directory.
            otherwise: what counts where the run says nothing.

        Raises:
            SnapshotCorruptError: if what it says is none.
        """
        options = recorded_options(run_dir)
        known = {name: options[name] for name in cls.option_names() if name in options}
        try:
            return cls(snapshot_dir=run_dir, **{**otherwise, **known})
        except (TypeError, ValueError) as error:
            raise SnapshotCorruptError(
                f"{run_dir / EXPERIMENT}: its options are none: {error}"
            ) from error


def _absolute(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return the path from the root on, and a Path for a Path; the same one if it is that."""
    text = os.fspath(path)
    if os.path.isabs(text):
        return path
    absolute = os.path.abspath(text)
    return Path(absolute) if isinstance(path, Path) else absolute


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}")


def _check_int(name: str, value: Any, least: float, alternative: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer{alternative}, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least:.0f}{alternative}, got {value!r}")
