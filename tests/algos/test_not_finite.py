"""Learning that has gone to NaN ends the run, and leaves a snapshot that is finite."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from garage_like import Trainer
from garage_like.envs import GymEnv
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.torch.algos import SAC
from garage_like.torch.policies import TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction


class LosesItsReward(gym.Env):
    """Earn 1 a step, but for one step that earns NaN."""

    observation_space = spaces.Box(-9, 9, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self):
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        reward = np.nan if self.steps == 100 else 1.0
        return np.ones(2, np.float32), reward, self.steps % 10 == 0, False, {}


def test_off_policy_learning_on_a_reward_that_is_nan_ends_before_it_is_saved(tmp_path):
    env = GymEnv(LosesItsReward(), max_episode_length=10)
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=(4,)) for _ in range(2)]
    buffer = PathBuffer(capacity_in_transitions=200, env_spec=env.spec)
    small = {"min_buffer_size": 20, "buffer_batch_size": 64, "num_evaluation_episodes": 0}
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(SAC(env.spec, policy, *qfs, buffer, **small), env)
    with pytest.raises(ValueError, match=r"SAC: Loss/Critic is nan at gradient step"):
        trainer.train(np.int64(10), np.int64(30))
    left = read_snapshot(tmp_path)
    assert left.epoch >= 1
    assert all(np.isfinite(array).all() for array in left.tensors("policy").values())


def test_numbers_of_numpy_are_numbers():
    config = SnapshotConfig(
        snapshot_gap=np.int64(2), keep_best=np.int32(1), max_stall=np.float32(0.5)
    )
    assert type(config.snapshot_gap) is int
    assert type(config.keep_best) is int
    assert type(config.max_stall) is float
