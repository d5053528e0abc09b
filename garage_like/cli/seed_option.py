"""`--seed`, as the commands that draw numbers take it."""

from __future__ import annotations

from typing import Any

import click

_SEED = click.IntRange(0, 2**32 - 1)


def seed_option(default: int, help: str) -> Any:
    """Return the option; what NumPy takes for no seed is refused."""
    return click.option("--seed", type=_SEED, default=default, show_default=True, help=help)
