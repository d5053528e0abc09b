"""`--set NAME=VALUE`, as the commands that train take it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click


def _settings(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> dict[str, Any]:
    """Return values by name; what is no JSON is text."""
    settings: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(
                f"expected NAME=VALUE, such as algo.discount=0.98, got {text!r}"
            )
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings


def setting_option(help: str) -> Any:
    """Return the option, which may be repeated; the command gets `settings` by name."""
    return click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE", callback=_settings, help=help
    )
