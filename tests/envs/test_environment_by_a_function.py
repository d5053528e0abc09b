"""An environment that cannot be pickled is given as a function, and made again where it must be."""

import threading

import gymnasium
import numpy as np
import pytest

from garage_like.envs import GymEnv, normalize
from garage_like.envs.copy import copy_env
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.trainer import Trainer


class Native(gymnasium.Env):
    """Holds what can be neither pickled nor copied."""

    observation_space = gymnasium.spaces.Box(-99, 99, (1,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, goal):
        self.goal, self.steps, self.handle = goal, 0, threading.Lock()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.np_random.normal(size=1), {}

    def step(self, action):
        self.steps += 1
        return self.np_random.normal(size=1), float(action), self.steps >= 8, False, {}


def make():
    return gymnasium.wrappers.NormalizeObservation(Native(goal=7))


def test_function_makes_the_environment():
    env = GymEnv(make, max_episode_length=5)
    assert env.gym_env.unwrapped.goal == 7
    assert env.spec.max_episode_length == 5


def test_what_makes_none_is_refused():
    with pytest.raises(TypeError, match=r"env must be a gymnasium\.Env or the id of one"):
        GymEnv(lambda: 3)


def test_copy_is_made_anew_with_the_wrappers_statistics():
    env = GymEnv(make, max_episode_length=20)
    env.reset(seed=1)
    env.step(1)
    twin = copy_env(env)
    assert twin.gym_env.unwrapped.goal == 7
    assert twin.gym_env.unwrapped is not env.gym_env.unwrapped
    assert twin.gym_env.obs_rms.count == env.gym_env.obs_rms.count
    twin.reset()
    twin.step(1)


def test_run_is_saved_and_goes_on_with_a_new_episode(tmp_path):
    env = normalize(GymEnv(make, max_episode_length=20), normalize_obs=True)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(2,))
    sampler = LocalSampler(policy, env, worker_class=VecWorker, worker_args={"n_envs": 3})
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(CEM(env.spec, policy, sampler, n_samples=2, best_frac=0.5), env)
    trainer.get_env_copy().reset()
    trainer.train(2, 30)
    state = read_snapshot(tmp_path).manifest.env_state
    assert state["mode"] == "restart"
    assert "cannot pickle '_thread.lock'" in state["reason"]
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    again.restore(tmp_path)
    restored = again.algo.sampler.envs
    assert all(one.needs_reset for one in restored)
    counts = [one.normalizers()["observation"]["count"] for one in restored]
    assert counts == [one.normalizers()["observation"]["count"] for one in sampler.envs]
    again.resume(n_epochs=3)
    assert again.total_env_steps > trainer.total_env_steps
