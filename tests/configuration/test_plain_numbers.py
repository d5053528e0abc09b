"""NumPy's numbers are taken wherever numbers are."""

import subprocess
import sys

import numpy as np
import pytest

from garage_like.algos.schedules import LinearSchedule
from garage_like.configuration.plain_numbers import as_plain
from garage_like.envs import GymEnv, PointEnv
from garage_like.experiment.options import RunOptions
from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler, VecWorker, WorkerFactory
from garage_like.snapshot.config import SnapshotConfig
from garage_like.trainer.state import TrainArgs


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.int8(3), 3), (np.float32(0.5), 0.5), (np.bool_(True), True), (np.uint64(7), 7)],
)
def test_a_number_of_numpy_becomes_pythons(value, plain):
    assert as_plain(value) == plain
    assert type(as_plain(value)) is type(plain)


@pytest.mark.parametrize("value", [1, "1", None, np.zeros(1), np.array(1.0), np.str_("a")])
def test_all_else_stays_as_it_is(value):
    assert as_plain(value) is value


def test_numpy_is_not_loaded_for_it():
    code = (
        "import sys; from garage_like.configuration.plain_numbers import as_plain;"
        "print(as_plain(1), 'numpy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "False"]


@pytest.mark.parametrize("option", ["auto_resume", "async_save", "include_buffer"])
def test_options_of_snapshots_take_numpys_booleans(option):
    config = SnapshotConfig(snapshot_dir="x", **{option: np.bool_(True)})
    assert getattr(config, option) is True


@pytest.mark.parametrize("option", ["console", "archive_launch_repo", "auto_resume"])
def test_options_of_experiments_take_numpys_booleans(option):
    assert RunOptions.of({option: np.bool_(False)}).recorded()[option] is False


def test_arguments_of_train_and_of_samplers_do():
    args = TrainArgs(np.int64(2), np.int64(10), np.bool_(True))
    assert (args.n_epochs, args.batch_size, args.plot) == (2, 10, True)
    assert type(args.plot) is bool
    assert WorkerFactory(n_workers=np.int64(2)).n_workers == 2
    env = PointEnv(max_episode_length=5)
    sampler = LocalSampler(
        GaussianMLPPolicy(env.spec, hidden_sizes=np.array([4])),
        env,
        n_workers=np.int64(1),
        worker_class=VecWorker,
        worker_args={"n_envs": np.int64(2)},
    )
    assert sampler.obtain_samples(np.int64(0), np.int64(3)).num_steps >= 3


def test_constructors_of_the_framework_see_pythons_numbers():
    env = GymEnv("Pendulum-v1", max_episode_length=np.int64(9))
    assert type(env.spec.max_episode_length) is int
    noise = AddGaussianNoise(env.spec, GaussianMLPPolicy(env.spec), np.int64(10), np.float32(0.5))
    assert noise.sigma == 0.5
    assert PathBuffer(capacity_in_transitions=np.int64(5)).capacity == 5
    assert LinearSchedule(np.float32(1.0), np.float64(0.0), np.int64(2)).value(1) == 0.5
