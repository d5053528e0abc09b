"""What samplers that collect elsewhere are tried with, and what they must give back."""

import contextlib

import gymnasium
import numpy as np

from garage_like import seeding
from garage_like.envs import GymEnv, normalize
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import DefaultWorker, FragmentWorker, VecWorker

KINDS = [
    (DefaultWorker, None, 1),
    (FragmentWorker, {"n_envs": 2}, 2),
    (VecWorker, {"n_envs": 2}, 2),
]


@contextlib.contextmanager
def sampling(cls, worker_class=DefaultWorker, worker_args=None, n_workers=1, env=None):
    """Yield a sampler, its environment and its policy; end the sampler's processes."""
    seeding.set_seed(3)
    if env is None:
        env = normalize(GymEnv("CartPole-v1", max_episode_length=30), normalize_obs=True)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    sampler = cls(
        policy, env, n_workers=n_workers, worker_class=worker_class, worker_args=worker_args
    )
    try:
        yield sampler, env, policy
    finally:
        sampler.shutdown_worker()


def collected(cls, *kind, before_call=lambda sampler, call: None):
    """Return all arrays of three calls with changing weights, and what the workers became."""
    arrays = []
    with sampling(cls, *kind) as (sampler, env, policy):
        for call in range(3):
            before_call(sampler, call)
            batch = sampler.obtain_samples(call, 90)
            assert batch.env_spec is env.spec
            arrays += [batch.observations, batch.actions, batch.rewards, batch.step_types]
            arrays += [batch.lengths, batch.last_observations]
            policy.set_param_values(1.1 * policy.get_param_values())
        arrays += [sampler.obtain_exact_episodes(2).observations]
        assert sampler._workers[0]._envs[0] is env
        statistics = vars(env).get("_obs_normalizer", env)
        arrays += [np.asarray(v) for v in vars(statistics).values() if isinstance(v, np.ndarray)]
        states = [worker._rng.bit_generator.state for worker in sampler._workers]
        return [array.tobytes() for array in arrays], states, sampler.total_env_steps


class Global(gymnasium.Wrapper):
    def step(self, action):
        np.random.random()
        return self.env.step(action)


class Failing(gymnasium.Wrapper):
    def step(self, action):
        raise KeyError("no such road")
