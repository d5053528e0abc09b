"""Each algorithm learns its example's task in about half of the epochs it is allowed."""

import numpy as np
import pytest
import torch

from garage_like.envs import GymEnv, normalize
from garage_like.np import policies as np_policies
from garage_like.np.algos import CEM, CMAES
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.seeding import set_seed
from garage_like.torch.algos import PPO, TRPO, VPG
from garage_like.torch.optimizers import ConjugateGradientOptimizer, OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

pytestmark = pytest.mark.slow


def adam(module, lr, minibatch_size, passes=10):
    return OptimizerWrapper((torch.optim.Adam, {"lr": lr}), module, passes, minibatch_size)


@pytest.fixture
def cartpole():
    return GymEnv("CartPole-v1")


def on_cartpole(algorithm, env, hidden_sizes, policy_optimizer):
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=hidden_sizes)
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=hidden_sizes)
    return algorithm(
        env.spec,
        policy,
        value_function,
        LocalSampler(policy, env),
        policy_optimizer=policy_optimizer(policy),
        vf_optimizer=adam(value_function, 1e-3, 128),
    )


def proximal(policy):
    return adam(policy, 1e-3, 128)


def trust_region(policy):
    return OptimizerWrapper((ConjugateGradientOptimizer, {"max_constraint_value": 0.02}), policy)


def one_step(policy):
    return OptimizerWrapper((torch.optim.Adam, {"lr": 1e-2}), policy)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("algorithm", "hidden_sizes", "policy_optimizer", "enough"),
    [
        (PPO, (64, 64), proximal, 475.0),
        (TRPO, (32, 32), trust_region, 475.0),
        (VPG, (32, 32), one_step, 200.0),
    ],
)
def test_on_policy_algorithms_balance_the_pole(
    learn, cartpole, algorithm, hidden_sizes, policy_optimizer, enough, seed
):
    set_seed(seed)
    algo = on_cartpole(algorithm, cartpole, hidden_sizes, policy_optimizer)
    assert learn(algo, cartpole, enough, 50, 2048)[-1] >= enough


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("algorithm", "options"),
    [(CEM, {"best_frac": 0.2, "extra_std": 0.5, "extra_decay_time": 20}), (CMAES, {})],
)
def test_search_balances_the_pole(learn, cartpole, algorithm, options, seed):
    set_seed(seed)
    policy = np_policies.CategoricalMLPPolicy(cartpole.spec, hidden_sizes=(8,))
    algo = algorithm(cartpole.spec, policy, LocalSampler(policy, cartpole), n_samples=20, **options)
    assert learn(algo, cartpole, 200.0, 40, 500)[-1] >= 200.0


@pytest.mark.parametrize("seed", [1, 2])
def test_ppo_swings_the_pendulum_up_within_300_000_env_steps(learn, seed):
    set_seed(seed)
    env = normalize(GymEnv("Pendulum-v1"))
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    algo = PPO(
        env.spec,
        policy,
        value_function,
        LocalSampler(policy, env, worker_class=VecWorker),
        policy_optimizer=adam(policy, 2e-3, 512),
        vf_optimizer=adam(value_function, 3e-3, 512),
        discount=0.9,
        gae_lambda=0.95,
    )

    def of_100_episodes(_: float) -> float:
        recent = algo._recent_returns
        return np.mean(recent) if len(recent) == 100 else -np.inf

    assert learn(algo, env, -300.0, 75, 4000, of_100_episodes)[-1] >= -300.0
    assert algo._sampler.total_env_steps <= 300_000
