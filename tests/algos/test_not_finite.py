"""Learning that has gone to NaN ends the run, and leaves a snapshot that is finite."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from garage_like import Trainer
from garage_like.algos.reps import RelativeEntropyPolicySearch
from garage_like.envs import GymEnv
from garage_like.np.algos import CEM, QLearning
from garage_like.np.policies import TabularArgmaxPolicy
from garage_like.np.q_functions import TabularQFunction
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.torch.algos import SAC, VPG
from garage_like.torch.policies import GaussianMLPPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.torch.value_functions import GaussianMLPValueFunction


class LosesItsReward(gym.Env):
    """Earn 1 a step, but for one step that earns NaN, or shows it."""

    observation_space = spaces.Box(-9, 9, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, shows=False):
        self.steps, self.shows = 0, shows

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        number = np.nan if self.steps == 105 else 1.0
        reward, seen = (1.0, number) if self.shows else (number, 1.0)
        return np.full(2, seen, np.float32), reward, self.steps % 10 == 0, False, {}


@pytest.mark.parametrize(
    ("shows", "told"),
    [(False, "SAC: a reward is nan"), (True, r"SAC: Loss/Critic is nan at gradient step")],
)
def test_off_policy_learning_on_nan_ends_before_it_is_saved(shows, told, tmp_path):
    env = GymEnv(LosesItsReward(shows), max_episode_length=10)
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=(4,)) for _ in range(2)]
    buffer = PathBuffer(capacity_in_transitions=200, env_spec=env.spec)
    small = {"min_buffer_size": 20, "buffer_batch_size": 64, "num_evaluation_episodes": 0}
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(SAC(env.spec, policy, *qfs, buffer, **small), env)
    with pytest.raises(ValueError, match=told):
        trainer.train(np.int64(10), np.int64(30))
    left = read_snapshot(tmp_path)
    assert left.epoch >= 1
    assert all(np.isfinite(array).all() for array in left.tensors("policy").values())


@pytest.mark.parametrize(
    ("algo", "shows", "what"),
    [
        ("VPG", True, "policy/LossBefore is nan"),
        ("VPG", False, "a reward is nan"),
        ("CEM", False, "a reward is nan"),
    ],
)
def test_weights_that_a_nan_would_spoil_are_not_saved_over_the_last(tmp_path, algo, shows, what):
    env = GymEnv(LosesItsReward(shows), max_episode_length=10)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    sampler = LocalSampler(policy, env)
    made = (
        CEM(env.spec, policy, sampler, n_samples=2, best_frac=0.5)
        if algo == "CEM"
        else VPG(env.spec, policy, GaussianMLPValueFunction(env.spec), sampler)
    )
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, snapshot_gap=1))
    trainer.setup(made, env)
    with pytest.raises(ValueError, match=rf"{algo}: {what}; expected a finite number"):
        trainer.train(10, 20)
    left = read_snapshot(tmp_path)
    assert left.epoch >= 1
    assert all(np.isfinite(array).all() for array in left.tensors("policy").values())


def test_a_policy_that_reps_lost_is_not_saved():
    class Lost(RelativeEntropyPolicySearch):
        def _weigh(self, episodes):
            return np.ones(1), {"Dual/Loss": np.inf}

        def _fit(self, episodes, weights):
            return {"policy/LossBefore": 1.0, "policy/LossAfter": np.nan}

    algo, episodes = Lost(None, None, None), SimpleNamespace(rewards=np.ones(1))
    with pytest.raises(ValueError, match="Lost: policy/LossAfter is nan"):
        algo.train_epoch(SimpleNamespace(step_itr=0, obtain_episodes=lambda itr: episodes))


def test_a_table_ends_with_the_first_reward_that_is_nan(tmp_path):
    env = GymEnv(
        gym.wrappers.TransformReward(gym.make("FrozenLake-v1"), _lost), max_episode_length=20
    )
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    sampler = LocalSampler(policy, env)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(QLearning(env.spec, policy, qf, sampler, exploration_policy=policy), env)
    with pytest.raises(ValueError, match="QLearning: a reward is nan"):
        trainer.train(2, 20)


def _lost(reward):
    return np.nan


def test_numbers_of_numpy_are_numbers():
    config = SnapshotConfig(
        snapshot_gap=np.int64(2), keep_best=np.int32(1), max_stall=np.float32(0.5)
    )
    assert type(config.snapshot_gap) is int
    assert type(config.keep_best) is int
    assert type(config.max_stall) is float
