"""What a snapshot says to those who only read: JSON and safetensors, with no pickle.

Each test is named by the promise that it proves: C of CO-GYM, K of skrl, S of Stoix, V of Velora.
"""

import json
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from garage_like.snapshot.normalizers import normalizers_of
from safetensors.numpy import load_file

from garage_like.envs import GymEnv, normalize
from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.trainer import Trainer


class Walks(RLAlgorithm):
    """Take ten random steps an epoch, with weights and slots that move."""

    def __init__(self, env):
        self.policy = GaussianMLPPolicy(env.spec, hidden_sizes=(3,))
        self.policy_optimizer = {"exp_avg": np.zeros(3)}
        self.temperature = np.array(1.0)
        self._env = env

    def train_epoch(self, trainer):
        self._env.reset()
        for _ in range(10):
            self._env.step(self._env.action_space.sample())
        trainer.total_env_steps += 10
        self.policy_optimizer["exp_avg"] += 1
        self.temperature *= 0.5
        tabular.record("Evaluation/AverageReturn", float(-trainer.total_env_steps))


def train(directory, env, n_epochs=2, **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="all", **options))
    trainer.setup(Walks(env), env)
    trainer.train(n_epochs)
    return trainer.algo


def pendulum(**options):
    return normalize(GymEnv("Pendulum-v1", max_episode_length=50), **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with normalised observations and rewards, and the algorithm that it ended with."""
    run_dir = tmp_path_factory.mktemp("run")
    env = pendulum(normalize_obs=True, normalize_reward=True)
    return run_dir, train(run_dir, env), env


def manifest_of(run_dir):
    return json.loads((list_snapshots(run_dir)[-1] / "manifest.json").read_bytes())


def test_c05_normalising_values_are_there_under_their_true_names(finished):
    run_dir, _, env = finished
    found = read_snapshot(run_dir).normalizers
    assert found["observation"].keys() == found["reward"].keys() == {"mean", "var", "count"}
    mean, variance = env.observation_statistics
    assert np.array_equal(found["observation"]["mean"], mean)
    assert np.array_equal(found["observation"]["var"], variance)
    assert found["observation"]["count"] == 2 * 11
    assert found["reward"]["count"] == 2 * 10


def test_c05_var_is_a_variance_and_normalises_as_the_environment_does(finished):
    run_dir, _, env = finished
    values = manifest_of(run_dir)["normalizers"]["observation"]
    raw = np.array([0.6, 0.8, 2.0])
    env._obs_alpha, alpha = 1e-300, env._obs_alpha
    try:
        expected = env._normalized(raw)
    finally:
        env._obs_alpha = alpha
    by_hand = (raw - values["mean"]) / np.sqrt(values["var"])
    np.testing.assert_allclose(by_hand, expected, rtol=1e-6)


def test_c05_normalising_wrappers_of_gymnasium_are_read_too():
    inner = gymnasium.wrappers.NormalizeReward(
        gymnasium.wrappers.NormalizeObservation(gymnasium.make("Pendulum-v1"))
    )
    env = GymEnv(inner)
    env.reset()
    env.step(np.zeros(1, np.float32))
    found = normalizers_of(env)
    rms = inner.env.obs_rms
    assert found["observation"] == {
        "mean": rms.mean.tolist(),
        "var": rms.var.tolist(),
        "count": rms.count,
    }
    assert found["return"]["count"] == inner.return_rms.count


class Spoils(Walks):
    """Leave numbers behind that are none."""

    def train_epoch(self, trainer):
        super().train_epoch(trainer)
        self._env._obs_var[1], self._env._obs_mean[2] = np.inf, np.nan


def test_what_is_not_finite_is_saved_and_read_as_it_is(tmp_path):
    env = pendulum(normalize_obs=True)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(Spoils(env), env)
    trainer.train(1)
    found = read_snapshot(tmp_path).normalizers["observation"]
    assert found["var"][1] == np.inf
    assert np.isnan(found["mean"][2])
    assert np.isfinite(found["mean"][:2]).all()


def test_where_nothing_is_normalised_nothing_is_said():
    assert normalizers_of(pendulum()) == {}
    assert normalizers_of(None) == {}


def test_normalisers_that_are_no_numbers_are_not_handed_out(finished):
    snapshot = read_snapshot(finished[0])
    written = {"observation": {"mean": ["one", [2]]}}
    snapshot.manifest = replace(snapshot.manifest, normalizers=written)
    with pytest.raises(SnapshotCorruptError, match="normalizers: "):
        _ = snapshot.normalizers


def test_v02_the_manifest_says_how_far_the_run_was(finished):
    found = manifest_of(finished[0])
    assert (found["epoch"], found["total_env_steps"]) == (1, 20)
    assert found["metrics"]["Evaluation/AverageReturn"] == -20.0
    assert found["train_seconds"] > 0.0


def test_v03_weights_are_safetensors_that_its_library_reads(finished):
    run_dir, algo, _ = finished
    found = load_file(list_snapshots(run_dir)[-1] / "tensors" / "policy.safetensors")
    params = [array for name, array in found.items() if "seed_seq" not in name]
    assert any(np.array_equal(algo.policy.get_param_values(), array) for array in params)


def test_v04_so_is_the_state_of_optimizers(finished):
    run_dir, _, _ = finished
    found = load_file(list_snapshots(run_dir)[-1] / "tensors" / "policy_optimizer.safetensors")
    assert found["exp_avg"].tolist() == [2.0, 2.0, 2.0]


def test_s03_what_is_neither_network_nor_optimizer_comes_back_too(finished, tmp_path):
    run_dir, algo, _ = finished
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.restore(run_dir)
    assert trainer.algo.temperature == algo.temperature == 0.25
    assert trainer.total_env_steps == 20


def test_k09_each_module_has_a_file_of_its_own(finished):
    files = {path.name for path in (list_snapshots(finished[0])[-1] / "tensors").iterdir()}
    assert {"policy.safetensors", "policy_optimizer.safetensors", "env.safetensors"} <= files


def test_s02_each_save_has_the_return_of_its_evaluation(finished):
    found = [read_snapshot(path).metrics for path in list_snapshots(finished[0])]
    assert [metrics["Evaluation/AverageReturn"] for metrics in found] == [-10.0, -20.0]


def test_s04_saving_is_switched_off_and_loading_then_says_so(tmp_path):
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run", snapshot_mode="none"))
    env = pendulum()
    trainer.setup(Walks(env), env)
    trainer.train(1)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SnapshotNotFoundError, match="no such directory"):
        read_snapshot(tmp_path / "run")


def test_s08_a_resume_continues_counters_and_random_numbers(tmp_path):
    set_seed(5)
    train(tmp_path / "whole", pendulum(normalize_obs=True), n_epochs=4)
    set_seed(5)
    train(tmp_path / "half", pendulum(normalize_obs=True), n_epochs=2)
    set_seed(6)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "half"))
    trainer.restore(tmp_path / "half")
    trainer.resume(n_epochs=4)
    resumed, whole = (read_snapshot(tmp_path / name).manifest for name in ("half", "whole"))
    assert resumed.total_env_steps == whole.total_env_steps == 40
    assert resumed.generators == whole.generators
    assert resumed.normalizers == whole.normalizers
