"""DQN and PPO learn from pixels alone: to catch what falls."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from garage_like.envs import GymEnv
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.seeding import set_seed
from garage_like.torch.algos import DQN, PPO
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalCNNPolicy, DiscreteQFArgmaxPolicy
from garage_like.torch.q_functions import DiscreteCNNQFunction
from garage_like.torch.value_functions import GaussianCNNValueFunction

SIZE = 6
SMALL = {"hidden_channels": (8,), "kernel_sizes": (3,), "strides": (1,), "hidden_sizes": (32,)}
ENOUGH = 0.8  # of -1 to 1; at random -0.5: the paddle is as wide as a third of what it may miss


class Catch(gymnasium.Env):
    """Move a paddle of one pixel under a ball of one pixel that falls down a small screen."""

    def __init__(self):
        self.observation_space = spaces.Box(0, 255, (SIZE, SIZE, 1), np.uint8)
        self.action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._row, self._ball, self._paddle = 0, int(self.np_random.integers(SIZE)), SIZE // 2
        return self._seen(), {}

    def step(self, action):
        self._paddle = min(max(self._paddle + int(action) - 1, 0), SIZE - 1)
        self._row += 1
        over = self._row == SIZE - 1
        reward = (1.0 if self._paddle == self._ball else -1.0) if over else 0.0
        return self._seen(), reward, over, False, {}

    def _seen(self):
        screen = np.zeros((SIZE, SIZE, 1), np.uint8)
        screen[self._row, self._ball] = screen[-1, self._paddle] = 255
        return screen


@pytest.fixture
def catch():
    set_seed(1)
    return GymEnv(Catch(), is_image=True, max_episode_length=SIZE)


@pytest.mark.slow
def test_dqn_learns_to_catch(catch, learn):
    qf = DiscreteCNNQFunction(catch.spec, **SMALL)
    policy = DiscreteQFArgmaxPolicy(qf, catch.spec)
    explorer = EpsilonGreedyPolicy(catch.spec, policy, total_timesteps=2000, decay_ratio=1.0)
    algo = DQN(
        catch.spec,
        policy,
        qf,
        PathBuffer(10_000, catch.spec),
        exploration_policy=explorer,
        qf_lr=1e-3,
        target_update_freq=2,
        min_buffer_size=200,
        num_evaluation_episodes=20,
    )
    seen = learn(algo, catch, ENOUGH, 15, 200)
    assert seen[-1] >= ENOUGH, seen


@pytest.mark.slow
def test_ppo_learns_to_catch(catch, learn):
    policy = CategoricalCNNPolicy(catch.spec, **SMALL)
    values = GaussianCNNValueFunction(catch.spec, **SMALL)

    def adam(module):
        return OptimizerWrapper((torch.optim.Adam, {"lr": 2e-3}), module, 5, 64)

    algo = PPO(
        catch.spec,
        policy,
        values,
        LocalSampler(policy, catch, worker_class=VecWorker),
        policy_optimizer=adam(policy),
        vf_optimizer=adam(values),
    )
    seen = learn(algo, catch, ENOUGH, 30, 500)
    assert seen[-1] >= ENOUGH, seen
