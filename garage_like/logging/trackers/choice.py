"""Which trackers a run has: what `wrap_experiment(trackers=...)` takes, checked before it runs."""

from __future__ import annotations

import difflib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from typing import Any

from garage_like.errors import install_hint

TRACKERS: dict[str, tuple[str, str]] = {
    "wandb": ("garage_like.logging.trackers.wandb_tracker", "WandbTracker"),
    "trackio": ("garage_like.logging.trackers.trackio_tracker", "TrackioTracker"),
    "mlflow": ("garage_like.logging.trackers.mlflow_tracker", "MlflowTracker"),
}


def check_trackers(value: Any) -> dict[str, dict[str, Any]]:
    """Return trackers by name with their options, whatever form they were given in.

    Args:
        value: None, a name, several names, or a dict of names and options.

    Raises:
        ValueError: if there is no such tracker.
        TypeError: if options are no dict of what JSON can hold: `experiment.json` keeps them, so
            that a resume goes on with the same trackers.
    """
    if value is None:
        return {}
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Iterable):
        raise TypeError(
            f"trackers must be a name, a list of names, or a dict of options by name; got {value!r}"
        )
    chosen = value if isinstance(value, Mapping) else dict.fromkeys(value)
    for name in chosen:
        if name not in TRACKERS:
            near = difflib.get_close_matches(str(name), TRACKERS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(TRACKERS)}"
            raise ValueError(f"trackers: there is no tracker {name!r}; {hint}")
    return {name: _options(name, options) for name, options in chosen.items()}


def _options(name: str, options: Any) -> dict[str, Any]:
    if options is None or options is True:
        return {}
    try:
        if not isinstance(options, Mapping):
            raise TypeError(f"not {type(options).__name__}")
        kept: dict[str, Any] = json.loads(json.dumps(dict(options)))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"trackers: the options of {name!r} must be a dict of strings, numbers, lists and"
            f" dicts, since experiment.json keeps them; got {options!r}: {error}"
        ) from error
    if not isinstance(kept.get("snapshots", False), bool):
        raise TypeError(
            f"trackers: snapshots of {name!r} must be True or False, got {kept['snapshots']!r}"
        )
    if name == "mlflow":
        known = {"tracking_uri", "experiment_name", "run_name", "tags", "snapshots"}
        unknown = sorted(kept.keys() - known)
        if unknown:
            raise TypeError(
                f"trackers: mlflow has no option {unknown[0]!r}; there are"
                f" {', '.join(sorted(known))}"
            )
    return kept


def check_installed(names: Iterable[str]) -> None:
    """Raise ImportError if the library of a tracker is not there."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"trackers: {name} is not installed; {install_hint(name)}", name=name)
