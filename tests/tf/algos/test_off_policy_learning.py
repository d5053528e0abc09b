"""DQN in TensorFlow learns what torch's learns, with the same settings."""

import math

import pytest

from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.tf.algos import DQN
from garage_like.tf.policies import DiscreteQFArgmaxPolicy
from garage_like.tf.q_functions import DiscreteMLPQFunction
from garage_like.trainer import TFTrainer

GOAL = 475.0


class UntilGoodEnough(RLAlgorithm):
    """Train another algorithm until its average return is as high as asked for."""

    def __init__(self, algo: RLAlgorithm) -> None:
        self.algo = algo
        self.policy = algo.policy
        self.best = -math.inf

    @property
    def _sampler(self):
        return self.algo.sampler

    def train(self, trainer: TFTrainer) -> float:
        for _ in trainer.step_epochs():
            self.best = max(self.best, self.algo.train_epoch(trainer))
            if self.best >= GOAL:
                break
        return self.best


def cartpole(seed: int) -> tuple[RLAlgorithm, GymEnv]:
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    qf = DiscreteMLPQFunction(env.spec, (256, 256))
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    explorer = EpsilonGreedyPolicy(
        env.spec, policy, total_timesteps=50_000, min_epsilon=0.04, decay_ratio=0.16
    )
    algo = DQN(
        env.spec,
        policy,
        qf,
        PathBuffer(100_000),
        exploration_policy=explorer,
        qf_lr=2.3e-3,
        target_update_freq=1,
        steps_per_epoch=5,
        n_train_steps=128,
        min_buffer_size=1000,
    )
    return algo, env


@pytest.mark.slow
def test_pole_is_balanced_within_50000_env_steps_on_two_of_three_seeds():
    learned = 0
    for seed in (1, 2, 3):
        algo, env = cartpole(seed)
        with TFTrainer() as trainer:
            trainer.setup(UntilGoodEnough(algo), env)
            learned += trainer.train(39, 256) >= GOAL
        if learned == 2:
            return
    pytest.fail(f"{learned} of 3 seeds reached {GOAL}")
