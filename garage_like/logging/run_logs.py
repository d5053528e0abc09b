"""RunLogs: the log files of one run, started over or continued exactly where a snapshot was taken.

Files: `progress.csv`, `progress.jsonl`, `debug.log`, `events.out.tfevents.*.run`, and orphans (see
`log_files`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from garage_like.errors import SnapshotMismatchError
from garage_like.files.run_files import (
    DEBUG_LOG,
    PROGRESS,
    PROGRESS_LINES,
    TRACKERS,
    VARIANT,
)
from garage_like.logging.console_output import ConsoleOutput
from garage_like.logging.csv_output import CsvOutput
from garage_like.logging.csv_table import content_at
from garage_like.logging.event_file import list_event_files
from garage_like.logging.held_output import HeldOutput
from garage_like.logging.json_lines_output import JsonLinesOutput, read_json_lines
from garage_like.logging.light_imports import StdOutput, logger
from garage_like.logging.log_files import cut, exchange, set_aside, sync_path
from garage_like.logging.logger_state import (
    LoggerState,
    begin_anew,
    drop_unfinished_row,
    exchange_output,
)
from garage_like.logging.patient_file import ends_a_line
from garage_like.logging.tensorboard_output import TensorBoardOutput
from garage_like.logging.text_output import TextOutput
from garage_like.logging.trackers.mirror import Mirror

# An experiment that logs more tables than this without a Trainer will never say how it begins.
_MAX_HELD_TABLES = 16

_stack: list[RunLogs] = []


def active_run_logs(directory: str | os.PathLike[str] | None = None) -> RunLogs | None:
    """Return the open logs of a run directory, or None if nobody logs there.

    Args:
        directory: by any path to it; None: of the innermost experiment that runs.
    """
    wanted = None if directory is None else os.path.realpath(directory)
    for logs in reversed(_stack):
        if wanted in (None, os.path.realpath(logs.directory)):
            return logs
    return None


def _has_no_more_rows(files: Mapping[str, Path], offsets: Mapping[str, int]) -> bool:
    """Tell whether no table grew after `offsets`, and the text log ends with a whole line."""
    tables = (path for name, path in files.items() if name != DEBUG_LOG)
    return not any(path.stat().st_size > offsets.get(path.name, 0) for path in tables) and (
        DEBUG_LOG not in files or ends_a_line(files[DEBUG_LOG])
    )


class RunLogs:
    """Connect dowel's logger with the files of a run directory, until `close`.

    In a directory that may hold an earlier run's logs (`existing`), nothing on the disk changes
    until `start_fresh` or `continue_from` says what to do with them; what is logged before is kept
    in memory. Logs of an experiment that runs inside another one take the place of the outer's.

    Args:
        directory: the run directory; it exists.
        x_axis: key of the logged table that is TensorBoard's step, or None.
        existing: whether the directory may hold logs; if not, `start_fresh` is called here.
        console: whether to print as well.
        log_steps: whether the steps of an epoch are logged, see `steps`.
        trackers: options of each tracker that mirrors the run, by its name.

    Attributes:
        num_stages: how often training was begun while these logs were open.
        last_epoch: the last that was finished then; -1 before the first.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        x_axis: str | None = "TotalEnvSteps",
        existing: bool,
        console: bool = True,
        log_steps: bool = True,
        trackers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.directory = Path(directory).absolute()
        self._csv = CsvOutput(self.directory / PROGRESS)
        self._json_lines = JsonLinesOutput(self.directory / PROGRESS_LINES)
        self._text = TextOutput(self.directory / DEBUG_LOG)
        self._events = TensorBoardOutput(self.directory, x_axis, self.directory / VARIANT)
        self._mirrors = [
            Mirror(name, options, x_axis) for name, options in (trackers or {}).items()
        ]
        self.log_steps = log_steps
        self._held: HeldOutput | None = HeldOutput(_MAX_HELD_TABLES, self.append)
        self._before = LoggerState()
        self.num_stages, self.last_epoch = 0, -1
        begin_anew(keep_outputs=not _stack)
        _stack.append(self)
        if console and not logger.has_output_type(StdOutput):
            logger.add_output(ConsoleOutput())
        logger.add_output(self._held)
        if not existing:
            self.start_fresh()

    def start_fresh(self) -> list[str]:
        """Set the logs of an earlier run aside and begin new ones; do nothing if these have begun.

        Returns:
            Names of the orphans.
        """
        if self._held is None:
            return []
        orphans = [set_aside(path).name for path in self._files()]
        if (self.directory / TRACKERS).exists():
            set_aside(self.directory / TRACKERS)  # a new run has new runs in its trackers
        self._begin(with_tables=True)
        return orphans

    def continue_from(self, offsets: Mapping[str, int]) -> None:
        """Cut the logs back to where they were when `offsets` were taken, and go on from there.

        What is cut off is kept in orphans; a log that did not exist then becomes one. Where no row
        came after, the text log is not cut: it tells what became of the snapshot. Logs that are
        gone (a snapshot was copied elsewhere alone) start over. Tables that were held, and what was
        recorded in `tabular`, are dropped: the files hold them. May be called at any time.

        Args:
            offsets: as `offsets()` returned it.

        Raises:
            SnapshotMismatchError: if a log is not what it was; nothing has been changed.
        """
        self._close_files()
        files = {path.name: path for path in self._files()}
        csv_content = self._check(files, offsets)
        kept = {DEBUG_LOG} & set(offsets) if _has_no_more_rows(files, offsets) else ()
        for name, path in files.items():
            if name in kept:
                continue
            if name not in offsets:
                set_aside(path)
            elif name == PROGRESS and not path.read_bytes().startswith(csv_content):
                exchange(path, csv_content)
            else:
                cut(path, offsets[name])
        self._events.drop_waiting()
        drop_unfinished_row()
        self._begin(with_tables=False)
        self._mirror()
        missing = sorted(name for name in offsets if name not in files)
        if missing:
            logger.log(f"Logs start over, since they are not in {self.directory}: {missing}")

    def _check(self, files: Mapping[str, Path], offsets: Mapping[str, int]) -> bytes:
        """Raise if a file cannot be cut where it should; return what progress.csv held there."""
        csv_content = b""
        for name, offset in offsets.items():
            if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
                raise ValueError(f"offsets[{name!r}] must be a size in bytes, got {offset!r}")
            if name not in files:
                continue
            size = files[name].stat().st_size
            if size < offset:
                raise SnapshotMismatchError(
                    f"{files[name]} has {size} bytes, but had {offset} when the snapshot was"
                    " taken: it was changed since. Move it away to start it over"
                )
            if name == PROGRESS:
                found = content_at(files[name].read_bytes(), offset)
            else:
                in_lines = name in (DEBUG_LOG, PROGRESS_LINES)
                found = b"" if not in_lines or ends_a_line(files[name], offset) else None
            if found is None:
                raise SnapshotMismatchError(
                    f"{files[name]} has no line that ends at byte {offset}, where the snapshot was"
                    " taken: it was changed since. Move it away to start it over"
                )
            csv_content = found if name == PROGRESS else csv_content
        return csv_content

    def _begin(self, *, with_tables: bool) -> None:
        if self._held is None:
            return
        held, self._held = self._held, None
        exchange_output(held, [self._csv, self._json_lines, self._text, self._events])
        held.write_lines(self._text)
        if with_tables:
            held.write_tables(self._csv, self._json_lines, self._events)
            for event in held.events:
                self._events.add_event(event)
        self._mirror()

    def _mirror(self) -> None:
        """Let trackers go on after the rows that stand in the log now."""
        rows = read_json_lines(self.directory / PROGRESS_LINES) if self._mirrors else []
        for mirror in self._mirrors:
            if mirror.has_begun:
                mirror.follow(rows)
            else:
                mirror.open(self.directory, rows)
                logger.add_output(mirror)

    def add_event(self, event: Any) -> None:
        """Add an event of the user's own, a `tensorboardX.proto.event_pb2.Event`."""
        if self._held is None:
            self._events.add_event(event)
        else:
            self._held.events.append(event)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                for mirror in self._mirrors:
                    mirror.add_beside(value.tag, value.simple_value)

    def add_lines(self, told: HeldOutput) -> None:
        """Log what was told before these logs were opened."""
        if self._held is None:
            told.write_lines(self._text)
        else:
            self._held.take_lines_of(told)

    def append(self) -> None:
        """Go on at the end of whatever logs there are; do nothing if these have begun."""
        self._begin(with_tables=True)

    def offsets(self) -> dict[str, int]:
        """Return the size in bytes of each log file of this run, all lines being written.

        Lines that could not be written yet are counted: see `sync`.
        """
        self._events.write_waiting()
        waiting = {
            self.directory / PROGRESS: self._csv.num_waiting,
            self.directory / PROGRESS_LINES: self._json_lines.num_waiting,
            self.directory / DEBUG_LOG: self._text.num_waiting,
            self._events.path: self._events.num_waiting,
        }
        sizes = {path.name: path.stat().st_size for path in self._files()}
        for path, count in waiting.items():
            if count:  # of a file, perhaps, that could not even be made
                sizes[path.name] = sizes.get(path.name, 0) + count
        return sizes

    def sync(self, offsets: Mapping[str, int] | None = None) -> None:
        """Force the log files onto the disk; any thread may call this.

        Args:
            offsets: what was logged when they were taken must be written.

        Raises:
            OSError: if not all of it is, or the disk fails.
        """
        files = {path.name: path for path in self._files()}
        for name, wanted in (offsets or {}).items():
            if name not in files or files[name].stat().st_size < wanted:
                raise OSError(f"{self.directory / name}: not all of the log could be written")
        for path in files.values():
            sync_path(path)
        sync_path(self.directory)

    def _files(self) -> list[Path]:
        named = [self.directory / name for name in (PROGRESS, PROGRESS_LINES, DEBUG_LOG)]
        return [*(path for path in named if path.exists()), *list_event_files(self.directory)]

    def close(self, *, write_held: bool = True, failed: bool = False) -> None:
        """Disconnect from the logger, which is then as it was before these logs were opened.

        Args:
            write_held: if neither `start_fresh` nor `continue_from` was called, append what was
                logged to the files; otherwise it is dropped, and they stay as they are.
            failed: whether trackers are told that the session ended with an error.
        """
        if self not in _stack:
            return
        while _stack[-1] is not self:
            _stack[-1].close()
        if write_held:
            self.append()
        _stack.pop()
        self._before.restore()
        self._events.write_waiting()
        self._close_files()
        for mirror in self._mirrors:
            mirror.close(failed)

    def _close_files(self) -> None:
        for output in (self._csv, self._json_lines, self._text, self._events):
            output.close()

    def __enter__(self) -> Self:
        """Return the logs themselves."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; after an error, what is still held is dropped."""
        self.close(
            write_held=error is None,
            failed=error is not None and not isinstance(error, SystemExit),
        )
