"""Off-policy algorithms learn their tasks, within so many env steps."""

import numpy as np
import pytest

from garage_like.envs import GymEnv, PointEnv
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
)
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import BC, DDPG, SAC, TD3, TQC, DiscreteSAC
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicCfCPolicy,
    DeterministicMLPPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import (
    ContinuousMLPQFunction,
    DiscreteMLPQFunction,
    QuantileMLPQFunction,
)
from garage_like.trainer import Trainer

HIDDEN = (64, 64)
PENDULUM = {
    "policy_lr": 1e-3,
    "qf_lr": 1e-3,
    "steps_per_epoch": 20,
    "min_buffer_size": 500,
    "buffer_batch_size": 128,
}


def pendulum(name: str) -> tuple[RLAlgorithm, GymEnv]:
    set_seed(1)
    env = GymEnv("Pendulum-v1")
    spec, buffer = env.spec, PathBuffer(100_000)
    qfs = [ContinuousMLPQFunction(spec, HIDDEN) for _ in range(2)]
    if name in ("sac", "tqc"):
        policy = TanhGaussianMLPPolicy(spec, HIDDEN)
        if name == "sac":
            return SAC(spec, policy, *qfs, buffer, **PENDULUM), env
        quantiles = [QuantileMLPQFunction(spec, 25, HIDDEN) for _ in range(2)]
        return TQC(spec, policy, quantiles, buffer, **PENDULUM), env
    deterministic = DeterministicMLPPolicy(spec, HIDDEN)
    noisy = AddGaussianNoise(spec, deterministic, 20_000, 0.4, 0.1)
    options = {"exploration_policy": noisy, **PENDULUM}
    if name == "ddpg":
        return DDPG(spec, deterministic, qfs[0], buffer, **options), env
    return TD3(spec, deterministic, *qfs, buffer, **options), env


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "goal"), [("sac", -200.0), ("td3", -200.0), ("tqc", -200.0), ("ddpg", -250.0)]
)
def test_pendulum_is_held_up_within_20000_env_steps(name, goal, learn):
    assert learn(*pendulum(name), goal, 20, 50)[-1] >= goal


@pytest.mark.slow
def test_a_liquid_network_holds_the_pendulum_up_within_15000_env_steps(learn):
    set_seed(1)
    env = GymEnv("Pendulum-v1")
    sizes = {"history_length": 4, "state_include_action": False}
    policy = DeterministicCfCPolicy(env.spec, hidden_dim=32, **sizes)
    noise = AddOrnsteinUhlenbeckNoise(env.spec, policy, sigma=0.5, dt=0.05)
    options = {**PENDULUM, "buffer_batch_size": 64, "reward_scale": 0.1}
    qf = ContinuousMLPQFunction(env.spec, HIDDEN)
    algo = DDPG(env.spec, policy, qf, PathBuffer(100_000), exploration_policy=noise, **options)
    assert learn(algo, env, -300.0, 15, 50)[-1] >= -300.0


@pytest.mark.slow
def test_discrete_sac_balances_the_pole_within_64000_env_steps(learn):
    set_seed(1)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    qfs = [DiscreteMLPQFunction(env.spec, HIDDEN) for _ in range(2)]
    rates = {"policy_lr": 2.3e-3, "qf_lr": 2.3e-3, "target_update_tau": 0.05}
    cadence = {"steps_per_epoch": 20, "gradient_steps_per_env_step": 0.25, "min_buffer_size": 1000}
    algo = DiscreteSAC(env.spec, policy, *qfs, PathBuffer(100_000), **rates, **cadence)
    assert learn(algo, env, 400.0, 16, 200)[-1] >= 400.0  # at random: 22


class StraightToTheGoal:
    def act(self, observations, rng):
        return np.clip(np.array([1.0, 1.0]) - observations[:, :2], -0.1, 0.1), {}

    def actor(self):
        return self

    def get_action(self, observation):
        return self.act(observation[None], None)[0][0], {}

    def reset(self, do_resets=None) -> None:
        pass


def test_clone_does_as_well_as_its_expert():
    set_seed(1)
    env, expert = PointEnv(max_episode_length=50), StraightToTheGoal()
    learner = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32))
    algo = BC(
        env.spec,
        learner,
        batch_size=64,
        source=expert,
        sampler=LocalSampler(expert, env),
        policy_lr=1e-2,
        minibatches_per_epoch=50,
    )
    trainer = Trainer()
    trainer.setup(algo, env)
    cloned = trainer.train(15, 200)
    episodes = obtain_evaluation_episodes(expert, env, num_eps=1)
    assert cloned == pytest.approx(episodes.rewards.sum(), rel=0.02)
