"""What a model of Stable-Baselines3 logs: rows in `progress.csv`, TensorBoard in one directory."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import KVWriter, TensorBoardOutputFormat

from garage_like.logging import tabular


class Rows(KVWriter):
    """Record what the model logs in the row of the epoch."""

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, Any], step: int = 0
    ) -> None:
        """Record the numbers among the values; of several in one epoch the last counts."""
        for key, value in key_values.items():
            number = value.item() if hasattr(value, "item") else value
            if isinstance(number, bool | int | float):
                tabular.record(key, number)

    def close(self) -> None:
        """Do nothing: there is no file."""


def send_rows(model: Any) -> None:
    """Have the model's logger record in the row, too."""
    formats = model.logger.output_formats
    if not any(isinstance(output, Rows) for output in formats):
        formats.append(Rows())


def go_on_in(model: Any, fresh: Any) -> None:
    """Log where the model logged before the kill, and not where this start began to."""
    restored = model.logger
    for output in restored.output_formats:
        if isinstance(output, TensorBoardOutputFormat) and restored.dir is not None:
            output.writer.close()
            step = model.num_timesteps + 1  # what was logged after it is passed over by readers
            output.writer = type(output.writer)(log_dir=restored.dir, purge_step=step)
    send_rows(model)
    if fresh is restored or fresh.dir is None or fresh.dir == restored.dir:
        return
    for output in fresh.output_formats:
        output.close()
    directory = Path(fresh.dir)
    if all(file.name.startswith("events.out.tfevents") for file in directory.glob("*")):
        with contextlib.suppress(OSError):
            for file in directory.glob("*"):
                file.unlink()
            directory.rmdir()
