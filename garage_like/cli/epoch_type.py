"""What a user writes for an epoch: its number, or which one it is."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from garage_like.cli.completing import complete_epochs
from garage_like.snapshot.choosing import WORDS, FromEpoch


class FromEpochType(click.ParamType):
    """An epoch: its number, or which one it is."""

    name = "first|last|best|N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> FromEpoch:
        """Return the number, or the word."""
        if value in WORDS:
            return value
        if isinstance(value, int) or str(value).isdecimal():
            return int(value)
        return self.fail(f"expected first, last, best or the number of an epoch; got {value!r}")

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the words, and the epochs that the run has snapshots of."""
        words = [CompletionItem(word) for word in WORDS if word.startswith(incomplete)]
        return [*words, *complete_epochs(ctx, param, incomplete)]
