"""Each algorithm learns its example's task in about half of the epochs it is allowed."""

import numpy as np
import pytest
import torch

from garage_like.envs import GymEnv, normalize
from garage_like.interfaces import RLAlgorithm
from garage_like.np import policies as np_policies
from garage_like.np.algos import CEM, CMAES
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.torch.algos import PPO, TRPO, VPG
from garage_like.torch.optimizers import ConjugateGradientOptimizer, OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction
from garage_like.trainer import Trainer

pytestmark = pytest.mark.slow


class UntilLearned(RLAlgorithm):
    """Train another algorithm until its average return is good enough."""

    def __init__(self, algo, enough, over_100_episodes):
        self.policy, self._sampler = algo.policy, algo.sampler
        self._algo, self._enough, self._over_100_episodes = algo, enough, over_100_episodes

    def train(self, trainer):
        for epoch in trainer.step_epochs():
            average = self._algo.train_epoch(trainer)
            if self._over_100_episodes:
                recent = self._algo._recent_returns
                average = np.mean(recent) if len(recent) == 100 else -np.inf
            if average >= self._enough:
                return epoch + 1
        return None


def learn(tmp_path, algo, env, enough, n_epochs, batch_size, over_100_episodes=False):
    """Return how many epochs the algorithm took, or None if it was not enough."""
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="none"))
    trainer.setup(UntilLearned(algo, enough, over_100_episodes), env)
    return trainer.train(n_epochs=n_epochs, batch_size=batch_size)


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
    tmp_path, cartpole, algorithm, hidden_sizes, policy_optimizer, enough, seed
):
    set_seed(seed)
    algo = on_cartpole(algorithm, cartpole, hidden_sizes, policy_optimizer)
    assert learn(tmp_path, algo, cartpole, enough, n_epochs=50, batch_size=2048) is not None


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("algorithm", "options"),
    [(CEM, {"best_frac": 0.2, "extra_std": 0.5, "extra_decay_time": 20}), (CMAES, {})],
)
def test_search_balances_the_pole(tmp_path, cartpole, algorithm, options, seed):
    set_seed(seed)
    policy = np_policies.CategoricalMLPPolicy(cartpole.spec, hidden_sizes=(8,))
    algo = algorithm(cartpole.spec, policy, LocalSampler(policy, cartpole), n_samples=20, **options)
    assert learn(tmp_path, algo, cartpole, 200.0, n_epochs=40, batch_size=500) is not None


@pytest.mark.parametrize("seed", [1, 2])
def test_ppo_swings_the_pendulum_up_within_300_000_env_steps(tmp_path, seed):
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
    epochs = learn(tmp_path, algo, env, -300.0, 75, batch_size=4000, over_100_episodes=True)
    assert epochs is not None
    assert algo._sampler.total_env_steps <= 300_000
