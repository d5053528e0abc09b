"""An experiment's parameters, as TensorBoard's page of hyper-parameters reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from garage_like.files.run_files import read_json
from garage_like.logging.light_imports import load_tensorboardx

COMPARED = ("Evaluation/AverageReturn", "Reward/Total reward (mean)")
_NESTING = "."


def flat(parameters: dict[str, Any], prefix: str = "") -> dict[str, bool | int | float | str]:
    """Return parameters in one level: `{'a': {'b': 1}}` is `{'a.b': 1}`; lists become JSON."""
    values: dict[str, bool | int | float | str] = {}
    for key, value in parameters.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            values |= flat(value, name + _NESTING)
        elif isinstance(value, bool | int | float | str):
            values[name] = value
        else:
            values[name] = json.dumps(value)
    return values


def hyperparameters(variant: Path) -> list[Any]:
    """Return the summaries that tell TensorBoard the parameters; none if there is no such file.

    Args:
        variant: `variant.json` of a run directory.
    """
    parameters = read_json(variant)
    if not parameters:
        return []
    make = load_tensorboardx().summary.hparams
    experiment, start, _ = make(flat(parameters), dict.fromkeys(COMPARED, 0.0))
    return [experiment, start]
