"""Options that a command imposes on the runs of a script, whatever the script says.

`garage-like resume` and the auditor run a script again in this process; where its run goes, and how
often it is saved, is then theirs to say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

_imposed: list[Mapping[str, Any]] = []
_wanted: list[Mapping[str, Any]] = []
_parameters: list[Mapping[str, Any]] = []
_folders: list[str] = []


@contextlib.contextmanager
def imposing(
    options: Mapping[str, Any],
    wanted: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    folder: str = "",
) -> Iterator[None]:
    """Impose options on every run that is begun in the block.

    Args:
        options: of `wrap_experiment`, those of `SnapshotConfig` among them.
        wanted: of `epochs`: how many epochs, and what is restored.
        parameters: of the decorated function, over those that the script passes.
        folder: where the run's mirror lies below the URL that the script names, if one script
            makes many runs.
    """
    _imposed.append(options)
    _wanted.append(wanted or {})
    _parameters.append(parameters or {})
    _folders.append(folder)
    try:
        yield
    finally:
        _imposed.pop()
        _wanted.pop()
        _parameters.pop()
        _folders.pop()


def imposed() -> dict[str, Any]:
    """Return the options that are imposed now."""
    return {name: value for options in _imposed for name, value in options.items()}


def with_imposed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as they are with those that are imposed now."""
    found = {**options, **imposed()}
    folders = [folder for folder in _folders if folder]
    if folders and isinstance(url := found.get("mirror"), str):
        found["mirror"] = "/".join([url.rstrip("/"), *folders])
    return found


def imposed_parameters() -> dict[str, Any]:
    """Return what is imposed on the parameters of experiments."""
    return {name: value for given in _parameters for name, value in given.items()}


def imposed_on_loops() -> dict[str, Any]:
    """Return what is imposed on `epochs` beside options."""
    return {name: value for wanted in _wanted for name, value in wanted.items()}
