"""Parts that are the same in the small runs of all families."""

from __future__ import annotations

from typing import Any

from garage_like.envs import GridWorldEnv, PointEnv
from garage_like.interfaces import Environment
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.sampler import FragmentWorker, LocalSampler

HIDDEN = (4,)
OFF_POLICY: dict[str, Any] = {
    "steps_per_epoch": 1,
    "min_buffer_size": 30,
    "buffer_batch_size": 8,
    "gradient_steps_per_env_step": 0.1,
    "num_evaluation_episodes": 1,
}
MEMORY = 100
"""Transitions that replay memory holds: more than are played, and few enough for a small file."""


def point() -> PointEnv:
    return PointEnv(max_episode_length=15)


def grid() -> GridWorldEnv:
    return GridWorldEnv(max_episode_length=15)


def fragments(policy: Any, env: Environment) -> LocalSampler:
    return LocalSampler(policy, env, worker_class=FragmentWorker, worker_args={"n_envs": 2})


def explorer(env: Environment, policy: Any) -> EpsilonGreedyPolicy:
    return EpsilonGreedyPolicy(env.spec, policy, total_timesteps=200, decay_ratio=0.5)
