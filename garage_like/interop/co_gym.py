"""Checkpoint directories of CO-GYM: state dicts, and what observations are normalised by as YAML.

Reads `checkpoint.pt` (policy, critic and optimizers), or where only code could read that,
`policy.pt`; and `observation_normalizing_values.yaml`. Never `pickled_data/`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.interop.statistics import ObservationStatistics
from garage_like.interop.torch_files import load_torch

WHOLE, POLICY = "checkpoint.pt", "policy.pt"
NORMALIZING = "observation_normalizing_values.yaml"
# CO-GYM writes the variance, with this added, under the name `std`.
_ADDED = 1e-6
_MAX_BYTES = 1 << 24
_LIST = re.compile(r"^(\w+):\s*(\[[^\]]*\]|(?:\n\s*- [^\n]*)+)", re.MULTILINE)


def read_co_gym(path: Path) -> tuple[dict[str, Any], list[ObservationStatistics], list[str]]:
    """Read a checkpoint directory.

    Returns:
        Parts with their arrays, statistics of observations, and notes.

    Raises:
        ValueError: if there are no weights that can be read as data.
    """
    parts, notes = _read_weights(path)
    return parts, _read_statistics(path / NORMALIZING), notes


def _read_weights(path: Path) -> tuple[dict[str, Any], list[str]]:
    whole, policy = path / WHOLE, path / POLICY
    if whole.is_file():
        try:
            loaded = load_torch(whole, str(whole))
            return loaded if isinstance(loaded, dict) else {"policy": loaded}, []
        except ValueError as error:
            if not policy.is_file():
                raise
            notes = [f"the policy alone, from {POLICY}: {error}"]
            return {"policy": load_torch(policy, str(policy))}, notes
    if policy.is_file():
        return {"policy": load_torch(policy, str(policy))}, []
    raise ValueError(
        f"{path}: expected {WHOLE} or {POLICY} of CO-GYM, model_state.safetensors of Velora, or"
        " snapshots of garage_like; name the file of weights itself"
    )


def _read_statistics(path: Path) -> list[ObservationStatistics]:
    if not path.is_file():
        return []
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path}: too large to be statistics of observations")
    lists = {name: _numbers(text) for name, text in _LIST.findall(path.read_text("utf-8"))}
    mean, variance = lists.get("mean"), lists.get("std")
    if mean is None or variance is None or mean.shape != variance.shape:
        raise ValueError(f"{path}: expected lists of numbers `mean` and `std` of one length")
    return [ObservationStatistics(mean, variance - _ADDED, epsilon=_ADDED, source=path.name)]


def _numbers(text: str) -> np.ndarray | None:
    """Read a list of YAML, in one line or with a line for each number."""
    words = re.findall(r"[^\s,\[\]]+", re.sub(r"^\s*- ", " ", text, flags=re.MULTILINE))
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return None
