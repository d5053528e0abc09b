"""Make the golden snapshots: one small run of each family of algorithms, and what follows from it.

    python tests/golden/make.py NAME ...   make these, or all, where there are none yet

Writes data/golden/NAME/snapshots/epoch_000001, made by two epochs, and data/golden/NAME/next.json:
the row of the log of the epoch after it. Snapshots that were released are never made again: later
versions must load them as they are.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from garage_like.audit.times import is_time
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.snapshot import SnapshotConfig, job, read_snapshot
from garage_like.trainer import Trainer

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
NAMES = {
    "np": ("cem", "cma_es", "q_learning", "sarsa"),
    "torch": (
        *("a2c", "amp", "ddqn", "discrete_sac", "ppo_lstm", "liquid_ddpg"),
        "vpg",
        "ppo",
        "trpo",
        "dqn",
        "ddpg",
        "td3",
        "sac",
        "tqc",
        "bc",
        "sac_in_rows",
        *("maml_trpo", "maml_ppo", "maml_vpg", "mtsac", "pearl"),
    ),
    "tf": (
        *("ppo", "npo", "trpo", "trpo_lstm", "vpg_keras", "erwr", "reps", "rl2_ppo", "te_ppo"),
        *("dqn", "ddqn", "ddpg", "td3", "tnpg", "rl2_trpo", "te_npo"),
    ),
}
FAMILIES = [f"{backend}_{family}" for backend, families in NAMES.items() for family in families]
N_EPOCHS = 2
BATCH_SIZE = 40
Run = tuple[RLAlgorithm, Environment]
# Whoever has the sources may restore the snapshots: they name no writer.
NOBODY = mock.patch.object(job, "user_name", return_value="")


def build(name: str) -> Run:
    """Make an algorithm and its environment from nothing."""
    backend, _, family = name.partition("_")
    return getattr(importlib.import_module(f"{backend}_families"), family)()


def trainer_of(name: str, run_dir: Path) -> contextlib.AbstractContextManager[Trainer]:
    """Return what trains a family, as a context."""
    config = SnapshotConfig(snapshot_dir=run_dir, async_save=False)
    if not name.startswith("tf_"):
        return contextlib.nullcontext(Trainer(config))
    from garage_like.trainer import TFTrainer

    return TFTrainer(config)


def next_row(name: str, run: Path) -> dict[str, Any]:
    """Train a copy of a run for one more epoch; return the row of the log, times left out."""
    with tempfile.TemporaryDirectory() as folder, trainer_of(name, Path(folder)) as trainer:
        trainer.restore(run, trust=True)
        trainer.resume(additional_epochs=1)
        metrics = read_snapshot(folder).metrics
    return {column: value for column, value in metrics.items() if not is_time(column)}


def make(name: str) -> None:
    """Train a family, and keep its last snapshot and what follows from it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir("/"), NOBODY:
        set_seed(3)
        with trainer_of(name, Path(folder)) as trainer:
            trainer.setup(*build(name))
            trainer.train(N_EPOCHS, BATCH_SIZE)
        snapshot = read_snapshot(folder).path
        target = GOLDEN / name / "snapshots" / snapshot.name
        shutil.copytree(snapshot, target)
    row = next_row(name, GOLDEN / name)
    (GOLDEN / name / "next.json").write_text(json.dumps(row, indent=2) + "\n")
    size = sum(path.stat().st_size for path in (GOLDEN / name).rglob("*") if path.is_file())
    print(f"{name}: {size / 1000:.0f} kB")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or FAMILIES:
        if (GOLDEN / wanted).exists():
            print(f"{wanted}: is there already; released snapshots are never made again")
        else:
            make(wanted)
