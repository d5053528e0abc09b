"""epochs: a loop that someone else wrote goes on where it was, bit for bit.

    from garage_like import epochs

    for i in epochs("runs/ppo", 100, globals(), skip=["writer"]):
        ...        # the body of the script, unchanged

The objects that the script has names for are the run. When the script is started again, they are
set to what the newest snapshot holds, and the loop goes on with the epoch after it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from garage_like.configuration.shown_options import takes_fields_of
from garage_like.errors import SnapshotMismatchError, SnapshotSaveError
from garage_like.logging import logger
from garage_like.logging.logger_state import has_row
from garage_like.snapshot.capture import pickled
from garage_like.snapshot.config import SnapshotConfig, SnapshotOptions
from garage_like.snapshot.imposed import imposed_on_loops, with_imposed
from garage_like.snapshot.loading import load_snapshot
from garage_like.snapshot.schedule import keeps_only_newest
from garage_like.snapshot.staging import Staging
from garage_like.trainer.loop import Loop
from garage_like.trainer.namespace import EpochsIterator, Namespace, caller, names_in
from garage_like.trainer.safe_points import is_watched
from garage_like.trainer.script import record_script
from garage_like.trainer.state import OpenEpoch, TrainArgs, check_count

MAX_STALL = 0.002
"""Of `SnapshotConfig`, unless it is given: with what is written behind, under one per cent."""

LOOK_SECONDS = 0.02
"""Of epochs that follow each other faster, one is looked at, whether it is to be saved."""

LOOK_SHARE = 0.0005
"""The share of the time that looking may take, where epochs are short."""


@takes_fields_of(SnapshotOptions)
def epochs(
    where: str | os.PathLike[str] | SnapshotConfig,
    n: int | range,
    state: MutableMapping[str, Any],
    *,
    skip: Iterable[str] = (),
    **options: Any,
) -> Iterable[int]:
    """Go through the epochs of a script's own loop; save its objects, and restore them.

    What `state` names is saved when an epoch is through with its body, and set to what was saved
    when the script is started again; names that are bound to one object stay bound to one. Random
    numbers of Python, NumPy, torch and TensorFlow go on too. Modules, classes and functions are
    code. The body may record numbers in `garage_like.logging.tabular`: they become a row of
    `progress.csv` in the run directory.

    Args:
        where: the run directory, or the `ctxt` of an experiment.
        n: epochs in total, or what the script calls them: `range(1, n + 1)`.
        state: where the script's names are bound: `globals()`, the `locals()` of a function that
            loops itself, or `vars(bag)`.
        skip: names that are not saved, since the script makes them again each time it starts.
        **options: of `SnapshotConfig`: `snapshot_mode`, `keep_best` and so on.

    Returns:
        An iterable of epochs, to be gone through once.

    Raises:
        TypeError: if names cannot be bound in `state`, or an argument has the wrong type.
        ValueError: if an argument is out of range.
        SnapshotSaveError: before the first epoch, if something cannot be saved; names it.
        RunLockedError: if another process trains in this directory.
    """
    values = n if isinstance(n, range) else None
    total = len(n) if isinstance(n, range) else n
    check_count("epochs: n", total, 0)
    names = Namespace(names_in(state, caller(1)), skip)
    loop = ScriptLoop(loop_config(where, options), int(total), names)
    return EpochsIterator(loop.iterate, values)


def loop_config(where: Any, options: dict[str, Any]) -> SnapshotConfig:
    """Return where and when a loop saves: what it was given, unless a command says otherwise."""
    known = SnapshotConfig.option_names()
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"epochs: no option is called {unknown[0]!r}; there are {', '.join(known)}")
    said = with_imposed(options)
    if isinstance(where, SnapshotConfig):
        return replace(where, **{name: said[name] for name in options})
    if not isinstance(where, str | os.PathLike) or not os.fspath(where):
        raise TypeError(f"epochs: where must be a directory or the ctxt, got {where!r}")
    options = {"max_stall": MAX_STALL, **{name: said[name] for name in known if name in said}}
    directory = said.get("log_dir") or os.path.expanduser(os.fspath(where))
    return SnapshotConfig(snapshot_dir=directory, **options)


class ScriptLoop(Loop):
    """Go through the epochs of a script.

    Args:
        config: where and when to save.
        n_epochs: in total.
        namespace: what to save.
        skipped: names of what is left out besides, for the manifest.
    """

    _x_axis = None

    def __init__(
        self,
        config: SnapshotConfig,
        n_epochs: int,
        namespace: Namespace,
        skipped: Sequence[str] = (),
    ) -> None:
        super().__init__(replace(config, auto_resume=True))  # what was begun goes on, always
        self._namespace = namespace
        self._n_epochs = self._end = n_epochs
        self._next_look = 0.0
        self._looked = time.perf_counter(), time.thread_time()
        is_plain = config.snapshot_mode == "last" and config.snapshot_gap == 1
        self._may_pass_over = is_plain and keeps_only_newest(config) and config.max_stall < 1.0
        self._may_hold = True  # until the time for it is spent, which does not come back
        self._session.skipped = [*namespace.skip, *skipped]
        self._session.label.modules.loop.keeps = namespace.holds
        self._session.label.modules.local_places = namespace.places_in_functions
        self._session.label.modules.is_of_a_script = True

    def iterate(self) -> Iterator[int]:
        """Restore what there is, and yield the epochs that are left."""
        wanted = imposed_on_loops()
        self._algo: Any = self._namespace.read()
        self._train_args = TrainArgs(self._n_epochs)
        if "source" in wanted or self._session.has_snapshots():
            self._go_on(wanted)
        else:
            self._check()
        start = self._args_of_training().start_epoch
        total = self._n_epochs if wanted.get("n_epochs") is None else wanted["n_epochs"]
        if "additional_epochs" in wanted:
            total = start + wanted["additional_epochs"]
        self._end = total
        self._train_args = TrainArgs(total, start_epoch=start)
        if start >= total:
            with self._heard():
                logger.log(f"Nothing is left to do: all {total} epochs are finished")
            return
        record_script(self._config)
        with self._running():
            try:
                yield from self.step_epochs()
            except GeneratorExit:  # an epoch that was broken off is begun again by a resume
                self._leave_unfinished()

    @property
    def was_restored(self) -> bool:
        """Whether the loop goes on where an earlier start came to."""
        return self._restored is not None

    def tell(self, line: str) -> None:
        """Log a line where the run is logged."""
        with self._heard():
            logger.log(line)

    def _go_on(self, wanted: dict[str, Any]) -> None:
        options = wanted.get("options", {})
        loaded = load_snapshot(
            wanted.get("source", self._config.snapshot_dir),
            include_buffer=options.get("include_buffer"),
        )
        if loaded.manifest.classes.get("trainer") != _qualified_name():
            raise SnapshotMismatchError(
                f"epochs: {loaded.path} was not saved by a loop of epochs; choose another directory"
            )
        self._restore(
            loaded,
            require_exact=options.get("require_exact", False),
            trust=options.get("trust", False),
        )
        self._namespace.write(self._algo)

    def _check(self) -> None:
        """Raise at once, and not after the first epoch, if something cannot be saved."""
        if self._config.saves_nothing:
            return
        try:
            with self._heard():
                pickled(self._graph(), True, Staging(), self._env_states())
        except Exception as error:
            why = self._namespace.why_unsavable(error, self._env_states())
            raise SnapshotSaveError(why) from error

    def _graph(self) -> dict[str, Any]:
        self._algo = self._namespace.read()
        return super()._graph()

    def save(self, epoch: int) -> None:
        """Take a snapshot of the script's objects as they stand."""
        try:
            super().save(epoch)
        except SnapshotSaveError as error:
            why = self._namespace.why_unsavable(error, self._env_states())
            raise SnapshotSaveError(why) from error

    def log_diagnostics(self, pause_for_plot: bool = False) -> None:
        """Record nothing: the row is the script's."""

    def _mark(self) -> tuple[Any, ...]:
        """Return nothing: an epoch that is broken off is started over, whatever it did."""
        return ()

    def _pass_over(self, epoch: int, started: float) -> Generator[int, None, tuple[int, float]]:
        """Look no further where short epochs come in quick succession.

        They are counted when one is looked at, or broken off: to keep counts that nobody reads
        takes longer than to tell that there is nothing to do.
        """
        clock, asked, end = time.perf_counter, self._interruption, self._end
        first, began = epoch, started
        try:
            while True:
                now = clock()
                if (
                    now >= self._next_look
                    or epoch + 1 >= end
                    or has_row()
                    or asked.requested
                    or self.ends_here
                    or is_watched()
                ):
                    return epoch, started
                epoch, started = epoch + 1, now
                if self._may_hold:
                    self._count(epoch - first, epoch, now, now - began)
                    first, began = epoch, now
                    self._may_hold = self._session.may_hold
                    self._session.hold(self._graph, epoch - 1, self._last_row)
                logger.pop_prefix()
                logger.push_prefix(f"epoch #{epoch} | ")
                yield epoch
        finally:
            self._count(epoch - first, epoch, started, started - began)

    def _count(self, number: int, epoch: int, started: float, seconds: float) -> None:
        """Count epochs that were passed over; another has begun."""
        self.step_itr += number
        self._stats.total_epoch, self._stats.total_itr = epoch - 1, self.step_itr
        self._stats.train_seconds += seconds
        self._open_epoch = OpenEpoch(epoch, started, self.step_itr, self._mark())

    def _finish_epoch(self, epoch: int, seconds: float, ends: bool = False) -> None:
        """Do what a Trainer does; how often it saves is for the pace to say."""
        used = time.thread_time()
        self.step_itr += 1
        self._session.keep_pace(are_short=seconds < LOOK_SECONDS)
        super()._finish_epoch(epoch, seconds, ends)
        if self._may_pass_over:
            has_saved = self._session.last_saved == epoch
            self._look_again(0.0 if has_saved else time.thread_time() - used)

    def _look_again(self, used: float) -> None:
        """Choose when to look again, where that took so many seconds on a processor."""
        now, on_processor = time.perf_counter(), time.thread_time()
        before, on_processor_before = self._looked
        slowness = (now - before) / max(on_processor - on_processor_before, 1e-6)
        self._looked = now, on_processor
        self._next_look = now + max(LOOK_SECONDS, used * max(1.0, slowness) / LOOK_SHARE)

    def _has_row(self) -> bool:
        return self.enable_logging and has_row()


def _qualified_name() -> str:
    return f"{ScriptLoop.__module__}.{ScriptLoop.__qualname__}"
