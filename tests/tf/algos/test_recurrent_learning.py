"""Recurrent TRPO balances the pole; REPS and ERWR come far."""

import pytest

from garage_like.envs import GymEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.tf.algos import ERWR, REPS, TRPO
from garage_like.tf.policies import CategoricalGRUPolicy, CategoricalMLPPolicy

pytestmark = pytest.mark.slow


@pytest.fixture
def env():
    return GymEnv("CartPole-v1", max_episode_length=200)


@pytest.mark.parametrize("seed", [1])
def test_recurrent_trpo_balances_the_pole(learn, env, seed):
    set_seed(seed)
    policy = CategoricalGRUPolicy(env.spec)
    algo = TRPO(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
    assert learn(algo, env, 190.0, 30, 4000)[-1] >= 190.0


# A policy that knows nothing balances for 20 steps.
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reps_learns_to_balance_for_longer(learn, env, seed):
    set_seed(seed)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    algo = REPS(env.spec, policy, sampler=LocalSampler(policy, env))
    assert learn(algo, env, 80.0, 30, 2000)[-1] >= 80.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_erwr_learns_to_balance(learn, env, seed):
    set_seed(seed)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    algo = ERWR(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
    assert learn(algo, env, 120.0, 30, 2000)[-1] >= 120.0
