"""A console for those who use a Trainer without an experiment around it."""

import contextlib
from collections.abc import Iterator

from garage_like.logging.console_output import ConsoleOutput
from garage_like.logging.light_imports import LogOutput, logger


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """Log to the console while the block runs, if nobody listens to the logger otherwise."""
    if logger.has_output_type(LogOutput):
        yield
        return
    logger.add_output(ConsoleOutput())
    try:
        yield
    finally:
        logger.remove_output_type(ConsoleOutput)
