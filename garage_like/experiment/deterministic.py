"""Seed an experiment: what it computes follows from the seed alone. `verify_resume` checks it."""

import importlib
from typing import TYPE_CHECKING, Any

from garage_like.seeding import get_seed, set_seed

if TYPE_CHECKING:
    from garage_like.audit import verify_resume

__all__ = ["get_seed", "set_seed", "verify_resume"]


def __getattr__(name: str) -> Any:
    """Load the auditor when it is first used."""
    if name != "verify_resume":
        raise AttributeError(
            f"module 'garage_like.experiment.deterministic' has no attribute {name!r}"
        )
    return getattr(importlib.import_module("garage_like.audit"), name)
