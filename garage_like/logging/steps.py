"""Log what an epoch is about to do, step by step; an experiment may do without (`log_steps`)."""

from __future__ import annotations

import sys


def log_of_epoch(epoch: int, message: str) -> None:
    """Log what concerns one epoch, though it may be told of in the middle of another."""
    from garage_like.logging.light_imports import logger

    prefixes = list(logger._prefixes)
    if prefixes and prefixes[-1].startswith("epoch #"):
        logger.pop_prefix()
    try:
        with logger.prefix(f"epoch #{epoch} | "):
            logger.log(message)
    finally:
        if len(logger._prefixes) < len(prefixes):
            logger.push_prefix(prefixes[-1])


def log_step(message: str) -> None:
    """Log a step of training, if a run logs and wants to hear of them."""
    logs = sys.modules.get("garage_like.logging.run_logs")
    active = None if logs is None else logs.active_run_logs()
    if active is not None and active.log_steps:
        from garage_like.logging.light_imports import logger

        logger.log(message)
