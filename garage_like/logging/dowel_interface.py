"""What dowel offers for logging, for where dowel is not installed.

dowel brings SciPy and matplotlib along, for a TensorBoard output that is not used here. Names,
arguments, warnings and attributes are dowel's, so that an output that was written for the one is
fed by the other.
"""

from __future__ import annotations

import abc
import sys
import time
from typing import Any

import numpy as np

from garage_like.logging.dowel_table import Prefixed, TabularInput
from garage_like.logging.plain_text import stamped


class LoggerWarning(UserWarning):
    """Something was logged that no output takes."""


class Histogram(np.ndarray):
    """Numbers of which the distribution is to be shown."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Take what `numpy.asarray` takes."""
        return np.asarray(*args, **kwargs).view(cls)


class LogOutput(abc.ABC):
    """Where a logger hands on what it is given: derive from it, and add it to the logger."""

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Types of what is handed on."""
        return ()

    @abc.abstractmethod
    def record(self, data: Any, prefix: str = "") -> None:
        """Take something; of a row, `mark` the columns that were taken."""

    def dump(self, step: int | None = None) -> None:
        """Write what waits."""

    def close(self) -> None:
        """Let go of files."""

    def __del__(self) -> None:
        """Let go of files."""
        self.close()


class StdOutput(LogOutput):
    """Print messages and rows.

    Args:
        with_timestamp: whether a message begins with the time.
    """

    def __init__(self, with_timestamp: bool = True) -> None:
        self._with_timestamp = with_timestamp

    @property
    def types_accepted(self) -> tuple[type, ...]:
        return (str, TabularInput)

    def record(self, data: Any, prefix: str = "") -> None:
        """Print a message or a row."""
        if isinstance(data, str):
            print(stamped(prefix + data, time.time()) if self._with_timestamp else prefix + data)
        elif isinstance(data, TabularInput):
            print(data)
            data.mark_str()
        else:
            raise ValueError(f"StdOutput: expected a message or a row, got {data!r}")

    def dump(self, step: int | None = None) -> None:
        """Hand everything over to the system."""
        sys.stdout.flush()


class Logger(Prefixed):
    """Hand what is logged on to the outputs that take its type."""

    _category = LoggerWarning

    def __init__(self) -> None:
        super().__init__()
        self._outputs: list[LogOutput] = []

    def log(self, data: Any) -> None:
        """Log a message, a row, or whatever an output takes."""
        if not self._outputs:
            self._warn("No outputs have been added to the logger.")
        taken = False
        for output in self._outputs:
            if isinstance(data, output.types_accepted):
                output.record(data, prefix=self._prefix_str)
                taken = True
        if not taken:
            self._warn(f"Log data of type {type(data).__name__} was not accepted by any output")

    def add_output(self, output: LogOutput) -> None:
        """Hand on to one more output.

        Raises:
            ValueError: if it is no instance of a class that derives from LogOutput.
        """
        if isinstance(output, type):
            raise ValueError("Output object must be instantiated - don't pass a type.")
        if not isinstance(output, LogOutput):
            raise ValueError("Output object must be a subclass of LogOutput")
        self._outputs.append(output)

    def remove_all(self) -> None:
        """Take all outputs away."""
        self._outputs.clear()

    def remove_output_type(self, output_type: type) -> None:
        """Take the outputs of a type away."""
        self._outputs = [o for o in self._outputs if not isinstance(o, output_type)]

    def reset_output(self, output: LogOutput) -> None:
        """Put an output in the place of those of its type."""
        self.remove_output_type(type(output))
        self.add_output(output)

    def has_output_type(self, output_type: type) -> bool:
        """Tell whether there is an output of a type."""
        return any(isinstance(output, output_type) for output in self._outputs)

    def dump_output_type(self, output_type: type, step: int | None = None) -> None:
        """Let the outputs of a type write what waits."""
        for output in self._outputs:
            if isinstance(output, output_type):
                output.dump(step=step)

    def dump_all(self, step: int | None = None) -> None:
        """Let all outputs write what waits."""
        self.dump_output_type(LogOutput, step)


logger = Logger()
tabular = TabularInput()
