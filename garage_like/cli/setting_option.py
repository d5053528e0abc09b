"""`--set NAME=VALUE`, as the commands that train take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


def _settings(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> dict[str, Any]:
    """Return values by name."""
    settings: dict[str, Any] = {}
    if given:
        from garage_like.configuration.plain_values import from_text
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(
                f"expected NAME=VALUE, such as algo.discount=0.98, got {text!r}"
            )
        settings[name] = from_text(value)
    return settings


def setting_option(help: str) -> Any:
    """Return the option, which may be repeated; the command gets `settings` by name."""
    return click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE", callback=_settings, help=help
    )
