"""Trained agents as files: a policy's weights, and what it is built from again; no code in them.

Files: `agent.json` (algorithm, environment, settings, what it reached) and `policy.safetensors`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

from garage_like.files.run_files import read_json
from garage_like.interop.export import export_weights
from garage_like.logging.log_files import make_directory, replace_content
from garage_like.snapshot import read_snapshot
from garage_like.snapshot.choosing import FromEpoch
from garage_like.tuned.building import build
from garage_like.tuned.settings import Settings

AGENT, WEIGHTS = "agent.json", "policy.safetensors"


def save_agent(
    run: Path, folder: Path, settings: Settings, reached: Mapping[str, Any], which: FromEpoch
) -> None:
    """Write the policy of a run that was trained from settings, in torch.

    Args:
        run: its directory.
        folder: made if it is not there.
        settings: that it was trained from.
        reached: what is said of it, as JSON has it.
        which: of its snapshots.

    Raises:
        ValueError: if the environment normalises by numbers of its own, which are not written.
    """
    snapshot = read_snapshot(run, which)
    if snapshot.manifest.normalizers or settings.backend != "torch":
        raise ValueError(f"{run}: expected a policy in torch, of observations as they are")
    make_directory(folder)
    export_weights(snapshot, "policy", "safetensors", folder / WEIGHTS)
    told = {
        "algorithm": settings.algorithm,
        "environment": settings.environment,
        "settings": dict(settings.values),
        "env_steps": snapshot.manifest.total_env_steps,
        **reached,
    }
    replace_content(folder / AGENT, (json.dumps(told, indent=2) + "\n").encode())


def load_agent(folder: str | os.PathLike[str]) -> tuple[Any, Any]:
    """Return the policy and the environment of a trained agent. Nothing in the files is run.

    Raises:
        ValueError: if the folder holds no agent, or its weights are another policy's.
    """
    told = read_json(Path(folder, AGENT))
    algorithm, environment = str(told.get("algorithm")), str(told.get("environment"))
    values = told.get("settings")
    # An id with a colon names a module to import.
    if not isinstance(values, dict) or ":" in environment:
        raise ValueError(f"{folder}: expected a trained agent, {AGENT} beside {WEIGHTS}")
    known = Settings.find(algorithm, environment)
    import torch

    try:
        algo, env = build(Settings(known.algorithm, environment, "torch", values))
        policy: Any = getattr(algo, "policy")  # noqa: B009
        weights = {name: torch.tensor(a) for name, a in load_file(Path(folder, WEIGHTS)).items()}
        policy.load_state_dict(weights)
    except (OSError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{folder}: no trained agent: {error}") from error
    return policy, env
