"""Seed an experiment: what it computes follows from the seed alone. `verify_resume` checks it."""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.audit import verify_resume as verify_resume
    from garage_like.seeding import get_seed as get_seed
    from garage_like.seeding import set_seed as set_seed

__getattr__, __dir__, __all__ = lazy.names(__name__)
