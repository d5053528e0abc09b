"""A run whose random numbers cannot be saved says so: when it saves, and when it resumes."""

import json

import pytest

from garage_like.envs import PointEnv
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.rng import hidden_random_numbers
from garage_like.tf.quiet_import import tf
from garage_like.trainer import TFTrainer


class Noisy(RLAlgorithm):
    """Move a variable at random, in a traced function."""

    def __init__(self, draw):
        self.policy = tf.Variable(0.0, name="weight")
        self._draw = draw

    def train_epoch(self, trainer):
        self._step()
        return 0.0

    @tf.function
    def _step(self):
        self.policy.assign_add(self._draw())


def with_hidden_counter():
    return tf.random.normal(())


def without():
    return tf.random.stateless_normal((), (1, 2))


@pytest.fixture
def run(tmp_path):
    """Return a function that trains a run for an epoch and returns its manifest and log."""

    def train(draw):
        logs = RunLogs(tmp_path, existing=False, console=False)
        try:
            with TFTrainer(SnapshotConfig(snapshot_dir=tmp_path)) as trainer:
                trainer.setup(Noisy(draw), PointEnv())
                trainer.train(1)
        finally:
            logs.close()
        manifest = tmp_path / "snapshots/epoch_000000/manifest.json"
        return json.loads(manifest.read_text()), (tmp_path / "debug.log").read_text()

    return train


def test_run_with_a_hidden_counter_is_not_labelled_exact(run):
    manifest, log = run(with_hidden_counter)
    assert not manifest["exact"]
    assert any("RandomStandardNormal in the traced function" in r for r in manifest["reasons"])
    assert "A resume of this run will not be exact: TensorFlow: RandomStandardNormal" in log


def test_resume_of_such_a_run_says_why_it_is_numerical(run, tmp_path, capsys):
    run(with_hidden_counter)
    with TFTrainer() as trainer:
        trainer.restore(tmp_path)
    said = capsys.readouterr().out
    assert "The resume is numerical, bits may differ:" in said
    assert "keeps its counter where it cannot be saved; use tf.random.Generator" in said


def test_run_with_stateless_operations_is_exact(run):
    left_by_other_tests = set(hidden_random_numbers())
    manifest, _ = run(without)
    assert set(manifest["reasons"]) <= left_by_other_tests
    assert manifest["exact"] == (not manifest["reasons"])
