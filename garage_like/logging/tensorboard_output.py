"""TensorBoardOutput: scalars, histograms and figures as TensorBoard event files."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.logging.event_file import EventFile, list_event_files
from garage_like.logging.hyperparameters import hyperparameters
from garage_like.logging.light_imports import (
    Histogram,
    LoggerWarning,
    LogOutput,
    TabularInput,
    load_tensorboardx,
)
from garage_like.logging.notices import warn
from garage_like.logging.patient_file import UNKNOWN, warn_of_waiting

_HISTOGRAM_BINS = 64


class TensorBoardOutput(LogOutput):
    """Write each table as one event, whose step is the table's value of `x_axis`.

    A table without that value takes the step given to `dump`, or else the number of dumps before.

    Args:
        log_dir: where the event files go; one is begun with the first table, and after `close`.
        x_axis: key of the table, or None to go by `dump`'s step.
        variant: JSON file with the experiment's parameters, which stand in the directory's first
            event file as hyper-parameters.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        x_axis: str | None = "TotalEnvSteps",
        variant: Path | None = None,
    ) -> None:
        self._directory = Path(log_dir)
        self._x_axis = x_axis
        self._variant = variant
        self._file: EventFile | None = None
        self._waiting: list[dict[str, Any]] = []
        self._late: list[Any] = []
        self._num_dumps = 0
        self._has_warned = False

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Tables."""
        return (TabularInput,)

    def record(self, data: Any, prefix: str = "") -> None:
        """Write a table, or keep it until `dump` says at which step."""
        values = {key: value for key, value in data.as_dict.items() if _is_shown(value)}
        self.write_row(values)
        for key in values:
            data.mark(key)

    def write_row(self, values: dict[str, Any]) -> None:
        """Write a table's values, or keep them until `dump` says at which step."""
        if self._x_axis in values and np.isfinite(values[self._x_axis]):
            others = {key: value for key, value in values.items() if key != self._x_axis}
            self._write(others, int(values[self._x_axis]))
            return
        if self._x_axis is not None and not self._has_warned:
            self._has_warned = True
            warn(
                f"TensorBoard: the x axis {self._x_axis!r} is not in the logged table, so its step"
                " is used; log that key, or give another x_axis",
                LoggerWarning,
                stacklevel=4,
            )
        self._waiting.append(values)

    def dump(self, step: int | None = None) -> None:
        """Write what waits for a step."""
        self.write_waiting(step)
        self._num_dumps += 1

    def write_waiting(self, step: int | None = None) -> None:
        """Write what waits for a step, if only the number of dumps before."""
        for values in self._waiting:
            self._write(values, self._num_dumps if step is None else int(step))
        self._waiting.clear()

    @property
    def num_waiting(self) -> int:
        """Bytes that could not be written yet; of events without a file, more than any file has."""
        waiting = 0 if self._file is None else self._file.num_waiting
        return waiting + (UNKNOWN if self._late else 0)

    @property
    def path(self) -> Path:
        """The file that is being written; where none was begun, no file has the name."""
        return self._directory / "events" if self._file is None else self._file.path

    def drop_waiting(self) -> None:
        """Forget what waits for a step."""
        self._waiting.clear()

    def _write(self, values: dict[str, Any], step: int) -> None:
        if not values:
            return
        proto = load_tensorboardx().proto.summary_pb2
        shown = [proto.Summary.Value(tag=key, **_content(value)) for key, value in values.items()]
        events = load_tensorboardx().proto.event_pb2
        self.add_event(events.Event(step=step, summary=proto.Summary(value=shown)))

    def add_event(self, event: Any) -> None:
        """Write an event, as of now unless it says when."""
        event.wall_time = event.wall_time or time.time()
        self._late.append(event)
        while self._late:
            try:
                file = self._opened()
            except OSError as error:
                if len(self._late) == 1:
                    warn_of_waiting(self.path, error)
                return  # its name is known with its first event
            file.add_event(self._late.pop(0))

    def _opened(self) -> EventFile:
        if self._file is not None and self._file.is_gone:
            self.close()
        if self._file is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            is_first = not list_event_files(self._directory)
            self._file = EventFile(self._directory)
            if is_first and self._variant is not None:
                for summary in hyperparameters(self._variant):
                    self._file.add_summary(summary)
        return self._file

    def close(self) -> None:
        """Let go of the file; a later table begins another."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _is_figure(value: Any) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.Figure)


def _is_shown(value: Any) -> bool:
    if isinstance(value, Histogram):
        return bool(np.isfinite(value).any())
    return isinstance(value, bool | int | float | np.number | np.bool_) or _is_figure(value)


def _content(value: Any) -> dict[str, Any]:
    """Return the field of a Summary.Value that holds a value."""
    if isinstance(value, Histogram):
        values = np.asarray(value, dtype=np.float64).ravel()
        make_histogram = load_tensorboardx().summary.make_histogram
        return {"histo": make_histogram(values[np.isfinite(values)], bins=_HISTOGRAM_BINS)}
    if _is_figure(value):
        return {"image": _picture(value)}
    return {"simple_value": float(value)}


def _picture(figure: Any) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    png = io.BytesIO()
    canvas.print_png(png)
    width, height = canvas.get_width_height()
    if "matplotlib.pyplot" in sys.modules:  # which keeps every figure until it is closed
        sys.modules["matplotlib.pyplot"].close(figure)
    return load_tensorboardx().proto.summary_pb2.Summary.Image(
        height=height, width=width, colorspace=4, encoded_image_string=png.getvalue()
    )
