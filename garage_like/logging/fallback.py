"""A console for those who use a Trainer without an experiment around it."""

import contextlib
from collections.abc import Iterator

from garage_like.logging.console_output import ConsoleOutput
from garage_like.logging.held_output import HeldOutput
from garage_like.logging.light_imports import LogOutput, logger
from garage_like.logging.run_logs import active_run_logs


@contextlib.contextmanager
def heard(kept: HeldOutput | None = None) -> Iterator[None]:
    """Log to the console while the block runs, if nobody listens to the logger otherwise.

    Args:
        kept: keeps what is said, for logs that will be opened, if none are open yet.
    """
    found: list[LogOutput] = []
    if not logger.has_output_type(LogOutput):
        found.append(ConsoleOutput())
    if kept is not None and active_run_logs() is None:
        found.append(kept)
    for output in found:
        logger.add_output(output)
    try:
        yield
    finally:
        for output in found:
            logger.remove_output_type(type(output))
