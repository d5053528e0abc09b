"""Recurrent TRPO balances the pole; REPS and ERWR come far."""

import pytest

from garage_like.envs import GymEnv
from garage_like.interfaces import RLAlgorithm
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.tf.algos import ERWR, REPS, TRPO
from garage_like.tf.policies import CategoricalGRUPolicy, CategoricalMLPPolicy
from garage_like.trainer import TFTrainer

pytestmark = pytest.mark.slow


class UntilLearned(RLAlgorithm):
    """Train another algorithm until its average return is good enough."""

    def __init__(self, algo, enough):
        self.policy, self._sampler = algo.policy, algo.sampler
        self._algo, self._enough = algo, enough

    def train(self, trainer):
        for epoch in trainer.step_epochs():
            if self._algo.train_epoch(trainer) >= self._enough:
                return epoch + 1
        return None


def learn(tmp_path, algo, env, enough, n_epochs, batch_size):
    """Return how many epochs the algorithm took, or None if it was not enough."""
    config = SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="none")
    with TFTrainer(config) as trainer:
        trainer.setup(UntilLearned(algo, enough), env)
        return trainer.train(n_epochs=n_epochs, batch_size=batch_size)


@pytest.fixture
def env():
    return GymEnv("CartPole-v1", max_episode_length=200)


@pytest.mark.parametrize("seed", [1])
def test_recurrent_trpo_balances_the_pole(tmp_path, env, seed):
    set_seed(seed)
    policy = CategoricalGRUPolicy(env.spec)
    algo = TRPO(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
    assert learn(tmp_path, algo, env, 190.0, n_epochs=30, batch_size=4000) is not None


# A policy that knows nothing balances for 20 steps.
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reps_learns_to_balance_for_longer(tmp_path, env, seed):
    set_seed(seed)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    algo = REPS(env.spec, policy, sampler=LocalSampler(policy, env))
    assert learn(tmp_path, algo, env, 80.0, n_epochs=30, batch_size=2000) is not None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_erwr_learns_to_balance(tmp_path, env, seed):
    set_seed(seed)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    algo = ERWR(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
    assert learn(tmp_path, algo, env, 120.0, n_epochs=30, batch_size=2000) is not None
