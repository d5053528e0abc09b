"""Going on with a run from its directory alone, whatever program started it.

Reads: `experiment.json` (options, where the launcher's modules are) and manifests. Writes, where a
run goes on in a new directory: copies of `experiment.json`, `variant.json` and `metadata.json`.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garage_like.errors import SnapshotCorruptError, SnapshotMismatchError
from garage_like.files.run_files import (
    EXPERIMENT,
    METADATA,
    SOURCES,
    VARIANT,
    copy_file,
    read_json,
    recorded_options,
)
from garage_like.logging.log_files import make_directory
from garage_like.runs.rerun import SCRIPT_LOOP, run_script_again
from garage_like.snapshot.choosing import FromEpoch, snapshot_path
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS, refuse_link
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import problems_of
from garage_like.snapshot.loading import run_dir_of
from garage_like.snapshot.trust import check_trust
from garage_like.trainer.sources import edited_sources

if TYPE_CHECKING:
    from garage_like.trainer.trainer import Trainer

COPIED = (EXPERIMENT, VARIANT, METADATA, SOURCES)
TRAINER = "garage_like.trainer.Trainer"


@dataclass(frozen=True)
class Continuation:
    """Where a run comes from, and where it goes on.

    Attributes:
        source: what is restored: a run directory, for its newest good snapshot, or one snapshot.
        snapshot: the snapshot that was asked for; if damaged, the newest good one is older.
        origin: the run directory that the snapshot lies in; None if it stands alone.
        run_dir: where the run goes on.
        include_buffer: as in `Trainer.restore`.
        require_exact: as in `Trainer.restore`.
        trust: as in `Trainer.restore`.
        settings: as in `Trainer.change`.
    """

    source: Path
    snapshot: Path
    origin: Path | None
    run_dir: Path
    include_buffer: bool | None = None
    require_exact: bool = False
    trust: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def experiment(self) -> dict[str, Any]:
        """What the experiment that made the run wrote down of itself; empty if none did."""
        return {} if self.origin is None else read_json(self.origin / EXPERIMENT)

    @property
    def options(self) -> dict[str, Any]:
        """What `wrap_experiment` was told."""
        return {} if self.origin is None else recorded_options(self.origin)

    @property
    def name(self) -> str | None:
        """The name that the run's log lines begin with; None if there is no experiment."""
        return self.options.get("name") or self.experiment.get("function")

    @property
    def config(self) -> SnapshotConfig:
        """The run's own options; where none are known, every snapshot is kept."""
        if self.origin is None:
            return SnapshotConfig(snapshot_dir=self.run_dir, snapshot_mode="all")
        recorded = SnapshotConfig.recorded(self.origin, snapshot_mode="all")
        return replace(recorded, snapshot_dir=self.run_dir)

    def is_finished(self, n_epochs: int | None, additional_epochs: int | None) -> bool:
        """Tell, from the manifest alone, whether nothing is left to do."""
        try:
            manifest = Manifest.read(self.snapshot)
        except SnapshotCorruptError:
            return False
        next_epoch = manifest.epoch + 1
        if additional_epochs is not None:
            n_epochs = next_epoch + additional_epochs
        elif n_epochs is None:
            n_epochs = manifest.train_args.get("n_epochs", next_epoch + 1)
        return n_epochs <= next_epoch and not problems_of(self.snapshot)

    @property
    def is_script_loop(self) -> bool:
        """Whether the loop is a script's own, which has to be run again."""
        return self._manifest().classes.get("trainer") == SCRIPT_LOOP

    def run_script_again(self, n_epochs: int | None, additional_epochs: int | None) -> None:
        """Run the script whose loop made the run; it goes on where that was."""
        check_trust(self.snapshot, self._manifest(), self.trust)
        if self.origin is None:
            raise SnapshotMismatchError(
                f"{self.snapshot}: it stands alone, and its loop is that of a script: copy the"
                " whole run, or start the script in a directory with this snapshot"
            )
        wanted: dict[str, Any] = {
            "source": self.source.absolute(),  # the script is run where it was started
            "options": {
                "include_buffer": self.include_buffer,
                "require_exact": self.require_exact,
                "trust": self.trust,
            },
        }
        lengths = {"n_epochs": n_epochs, "additional_epochs": additional_epochs}
        wanted.update((name, value) for name, value in lengths.items() if value is not None)
        options = {"log_dir": self.run_dir.absolute(), "use_existing_dir": True}
        run_script_again(self.origin, options, wanted)

    @contextlib.contextmanager
    def trainer(self) -> Iterator[Trainer]:
        """Restore the run; what its launcher could import can be imported here.

        Raises:
            SnapshotMismatchError: if only a script can, since the loop is its own; if objects
                cannot be built here, or settings cannot be changed.
        """
        if self.is_script_loop:
            raise SnapshotMismatchError(
                f"{self.snapshot}: the loop is a script's own, and its objects are made there;"
                " expected a run of a Trainer; to go on with this one: garage-like resume"
            )
        check_trust(self.snapshot, self._manifest(), self.trust)  # imports run code too
        folders = self.experiment.get("module_paths")
        known = [str(folder) for folder in folders] if isinstance(folders, list) else []
        sys.path[:0] = [folder for folder in known if folder not in sys.path]
        with contextlib.ExitStack() as stack:
            trainer = self._trainer_class()(self.config)
            if hasattr(trainer, "__enter__"):
                trainer = stack.enter_context(trainer)
            try:
                trainer.restore(
                    self.source,
                    include_buffer=self.include_buffer,
                    require_exact=self.require_exact,
                    trust=self.trust,
                )
            except (ImportError, AttributeError) as error:
                raise SnapshotMismatchError(
                    f"{self.snapshot}: its objects cannot be built here: {error}; install what is"
                    " missing, or put the folder of the module on PYTHONPATH"
                ) from error
            try:
                trainer.change(self.settings)
            except ValueError as error:
                raise SnapshotMismatchError(f"{self.snapshot}: {error}") from error
            yield trainer

    def _manifest(self) -> Manifest:
        """Return the snapshot's manifest; if it is damaged, an older one will be restored."""
        try:
            return Manifest.read(self.snapshot)
        except SnapshotCorruptError:
            return Manifest(epoch=0)

    def _trainer_class(self) -> Any:
        qualified = self._manifest().classes.get("trainer", TRAINER)
        module, _, name = qualified.rpartition(".")
        return getattr(importlib.import_module(module), name)

    @contextlib.contextmanager
    def logging(self, *, console: bool) -> Iterator[None]:
        """Log to the run's files while the block trains; go on where a snapshot says they were."""
        from garage_like.logging import RunLogs, logger

        x_axis = self.options.get("x_axis", "TotalEnvSteps")
        trackers = self.options.get("trackers")
        logs = RunLogs(
            self.run_dir,
            x_axis=x_axis,
            existing=True,
            console=console,
            log_steps=self.options.get("log_steps", True) is True,
            trackers=trackers,
        )
        try:
            with logger.prefix(f"[{self.name}] ") if self.name else contextlib.nullcontext():
                for line in self._told_of_edits():
                    logger.log(line)
                yield
        finally:
            logs.close(write_held=False)

    def _told_of_edits(self) -> Iterator[str]:
        """Say which of the run's code was edited, and whether the old or the new runs here."""
        for is_launcher, edited in () if self.origin is None else edited_sources(self.origin):
            if is_launcher:
                yield (
                    f"The launcher was edited since the run was last started: {edited}. What it"
                    " defines runs as the snapshot holds it, the old code; start the script again"
                    " to run the new"
                )
            else:
                yield f"Edited since the run was last started, and the new code runs: {edited}"

    def copy_experiment(self) -> None:
        """Give a new run directory what `show` and a later resume read there."""
        if self.origin is None or self.run_dir == self.origin:
            return
        make_directory(self.run_dir)
        for name in COPIED:
            copy_file(self.origin / name, self.run_dir / name)


def continuation(
    path: Path,
    from_epoch: FromEpoch | None,
    log_dir: Path | None,
    *,
    include_buffer: bool | None = None,
    require_exact: bool = False,
    trust: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Continuation:
    """Find what a run goes on from, and where.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.
        from_epoch: which snapshot; None takes the newest, or the one that the path names.
        log_dir: a new run directory; None goes on in place.
        include_buffer: as in `Trainer.restore`.
        require_exact: as in `Trainer.restore`.
        trust: as in `Trainer.restore`.
        settings: as in `Trainer.change`.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot.
        ValueError: if the arguments do not go together.
        FileExistsError: if something is in `log_dir` already.
    """
    is_snapshot = (path / MANIFEST).is_file()
    if is_snapshot and from_epoch is not None:
        raise ValueError(f"{path} is one snapshot; give --from-epoch with a run directory")
    snapshot = snapshot_path(path, "last" if from_epoch is None else from_epoch)
    origin = run_dir_of(snapshot)
    if log_dir is None and origin is None:
        raise ValueError(
            f"{path} is a snapshot on its own; say where the run goes on: --log-dir NEW"
        )
    if log_dir is None and origin is not None:
        refuse_link(origin / SNAPSHOTS)
    if log_dir is not None and log_dir.exists() and not is_empty_directory(log_dir):
        raise FileExistsError(f"{log_dir}: expected a new or an empty directory")
    source = snapshot if is_snapshot or from_epoch not in (None, "last") else path
    run_dir = log_dir or origin or snapshot
    return Continuation(
        source, snapshot, origin, run_dir, include_buffer, require_exact, trust, settings or {}
    )


def is_empty_directory(path: Path) -> bool:
    """Tell whether a path is a directory with nothing in it."""
    return path.is_dir() and not any(path.iterdir())
