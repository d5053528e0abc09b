"""Log what an epoch is about to do, step by step; an experiment may do without (`log_steps`)."""

from __future__ import annotations

import sys


def log_step(message: str) -> None:
    """Log a step of training, if a run logs and wants to hear of them."""
    logs = sys.modules.get("garage_like.logging.run_logs")
    active = None if logs is None else logs.active_run_logs()
    if active is not None and active.log_steps:
        from garage_like.logging.light_imports import logger

        logger.log(message)
