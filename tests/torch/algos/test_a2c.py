"""A2C: one gradient step after every few env steps, cut to a norm; it learns CartPole."""

import pytest
import torch

from garage_like.envs import GymEnv
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.torch.algos import A2C
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction
from garage_like.trainer import Trainer


def make(env, n_envs=16, **options):
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    at_once = {"worker_class": FragmentWorker, "worker_args": {"n_envs": n_envs}}
    sampler = LocalSampler(policy, env, **at_once)
    return A2C(env.spec, policy, value_function, sampler, **options)


def test_gradients_are_cut_to_a_norm():
    layer = torch.nn.Linear(2, 1, bias=False)
    before = layer.weight.detach().clone()
    sgd = OptimizerWrapper((torch.optim.SGD, {"lr": 1.0}), layer, max_grad_norm=0.5)
    sgd.minimize(lambda rows: layer(rows).sum(), torch.tensor([[300.0, 400.0]]))
    moved = (before - layer.weight.detach())[0]
    assert torch.allclose(moved, torch.tensor([0.3, 0.4]), atol=1e-6)
    with pytest.raises(ValueError, match="max_grad_norm must be positive or None, got 0"):
        OptimizerWrapper(torch.optim.SGD, layer, max_grad_norm=0)


def test_each_batch_is_one_step_of_each_network():
    set_seed(1)
    algo = make(GymEnv("CartPole-v1"))
    trainer = Trainer()
    trainer.setup(algo, GymEnv("CartPole-v1"))
    trainer.train(n_epochs=3, batch_size=80)
    for wrapper in (algo._policy_optimizer, algo._vf_optimizer):
        states = wrapper.optimizer.state.values()
        assert {int(state["step"]) for state in states} == {3}


class UntilItBalances(RLAlgorithm):
    """Train another algorithm until 10 episodes are 475 steps long on average."""

    def __init__(self, algo, env):
        self.policy, self._sampler, self._algo, self._env = algo.policy, algo.sampler, algo, env

    def train(self, trainer):
        for epoch in trainer.step_epochs():
            self._algo.train_epoch(trainer)
            episodes = obtain_evaluation_episodes(self.policy, self._env, num_eps=10)
            if episodes.num_steps / 10 >= 475:
                return epoch + 1
        return None


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pole_is_balanced_within_120_000_env_steps(seed):
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    trainer = Trainer()
    trainer.setup(UntilItBalances(make(env, num_train_per_epoch=50), GymEnv("CartPole-v1")), env)
    assert trainer.train(n_epochs=30, batch_size=80) is not None
