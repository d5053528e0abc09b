"""Policies in TensorFlow are loaded like all others."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "exact_resume"))
import tf_experiments

import garage_like
from garage_like.envs import GymEnv
from garage_like.interfaces import RLAlgorithm
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import TFTrainer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]


class Still(RLAlgorithm):
    """Hold a policy and learn nothing."""

    def __init__(self, policy):
        self.policy = policy

    def train_epoch(self, trainer):
        return None


def train(directory, build):
    with TFTrainer(SnapshotConfig(snapshot_dir=directory)) as trainer:
        algo, env = build(trainer)
        trainer.setup(algo, env)
        trainer.train(1, batch_size=45)
    return algo


@pytest.fixture(scope="module")
def ppo(tmp_path_factory):
    """A run of PPO, and the algorithm that it ended with."""
    run_dir = tmp_path_factory.mktemp("ppo")
    return run_dir, train(run_dir, lambda trainer: tf_experiments.build("ppo", "gaussian", trainer))


def test_v07_a_policy_in_tensorflow_acts_at_once(ppo):
    run_dir, algo = ppo
    policy = garage_like.load_policy(run_dir, map_location="cpu")
    observation = algo.policy.env_spec.observation_space.sample()
    mean = policy.get_action(observation)[1]["mean"]
    assert np.array_equal(mean, algo.policy.get_action(observation)[1]["mean"])


def test_k11_weights_go_into_variables_that_are_there(ppo, tmp_path):
    run_dir, algo = ppo
    target = garage_like.load_policy(run_dir)
    target.set_param_values(np.zeros_like(target.get_param_values()))
    variables = list(map(id, target.variables))
    observation = algo.policy.env_spec.observation_space.sample()
    target.get_action(observation)
    report = garage_like.load_weights(target, run_dir)
    assert list(map(id, target.variables)) == variables
    assert len(report.loaded) == len(target.variables)
    mean = target.get_action(observation)[1]["mean"]
    assert np.array_equal(mean, algo.policy.get_action(observation)[1]["mean"])


def test_a_policy_with_memory_stands_where_an_episode_begins(tmp_path):
    from garage_like.tf.policies import CategoricalGRUPolicy

    env = GymEnv("CartPole-v1")
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=8)
    observation = np.ones(4, np.float32)
    first = policy.get_action(observation)[1]["logits"]
    second = policy.get_action(observation)[1]["logits"]
    assert not np.array_equal(first, second)
    train(tmp_path, lambda _: (Still(policy), None))
    loaded = garage_like.load_policy(tmp_path)
    assert np.array_equal(loaded.get_action(observation)[1]["logits"], first)
