"""Algorithms in TensorFlow log what their METRICS say, and nothing else."""

import csv
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "exact_resume"))
import tf_experiments
import tf_off_policy_experiments

from garage_like.logging import RunLogs
from garage_like.logging.glossary import COMMON_METRICS, OCCASIONAL_METRICS
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import TFTrainer


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vpg", "npo", "ppo", "trpo", "tnpg", "dqn", "ddpg", "td3"])
def test_k04_columns_contain_the_algorithms_metrics_and_no_other(name, tmp_path):
    config = SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="none")
    with RunLogs(tmp_path, existing=False, console=False), TFTrainer(config) as trainer:
        if name in ("dqn", "ddpg", "td3"):
            algo, env = tf_off_policy_experiments.build(name, "uniform")
        else:
            algo, env = tf_experiments.build(name, "gaussian", trainer)
        trainer.setup(algo, env)
        trainer.train(2, batch_size=45)
    with (tmp_path / "progress.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    baseline = type(getattr(algo, "_value_function", None)).__name__
    declared = {key.replace("<value function>", baseline) for key in algo.METRICS}
    assert declared - set(columns) == set()
    assert COMMON_METRICS.keys() - set(columns) == set()
    allowed = declared | algo.OPTIONAL_METRICS.keys() | COMMON_METRICS.keys()
    assert set(columns) - allowed - OCCASIONAL_METRICS.keys() == set()
