"""EnvPool: what it gives is what GymEnv gives, and a restore begins new episodes and says so."""

import copy
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import vector as wrappers

from garage_like import seeding
from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.sampler import LocalSampler
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.kinds.environments import KnownEnvs

envpool = pytest.importorskip("envpool")

LIMIT = 10  # episodes in which nobody balances last 8 to 10 steps


@pytest.fixture(autouse=True)
def _bounds_in_float32():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*precision lowered by casting")
        yield


class ToTheRight:
    """Pushes all to the right, but for every fifth, which is held."""

    memory_dim = 0

    def actor(self):
        return self

    def reset(self, do_resets=None):
        pass

    def get_action(self, observation):
        raise AssertionError("one decision serves all")

    def act(self, observations, rng):
        held = np.arange(len(observations)) % 5 == 0
        return np.where(held, observations[:, 1] < 0, 1).astype(np.int64), {}


def pool(n=20, **config):
    return envpool.make_gymnasium("CartPole-v1", num_envs=n, max_episode_steps=LIMIT, **config)


def sampler_of(many):
    return LocalSampler(ToTheRight(), GymEnv(many), seed=3)


def test_every_step_is_the_single_environments():
    sampler = sampler_of(pool())
    alone = GymEnv(gymnasium.make("CartPole-v1", max_episode_steps=LIMIT))
    last_types = {}
    for count in (400, 400):
        batch = sampler.obtain_samples(0, count)
        assert batch.num_steps >= count
        for episode in batch.split():
            if episode.step_types[0] != StepType.FIRST:
                continue
            alone.reset(seed=0)
            alone.gym_env.unwrapped.state = episode.observations[0].astype(float)
            for row, action in enumerate(episode.actions):
                step = alone.step(action)
                after = episode.next_observations[row]
                np.testing.assert_allclose(step.observation, after, atol=1e-5)
                assert step.reward == episode.rewards[row]
                assert step.step_type == episode.step_types[row]
            key = int(episode.lengths[0]), int(episode.step_types[-1])
            last_types[key] = last_types.get(key, 0) + 1
    # It falls in the very last step that it may have, or is cut off there, or falls before.
    assert last_types[LIMIT, StepType.TERMINAL] > 3
    assert last_types[LIMIT, StepType.TIMEOUT] > 3
    assert last_types[LIMIT - 1, StepType.TERMINAL] > 3


def test_seeds_are_the_runs():
    def batch(run_seed, **config):
        seeding.set_seed(run_seed)
        sampler = LocalSampler(ToTheRight(), GymEnv(pool(6, **config)))
        return sampler.obtain_samples(0, 200).observations.tobytes()

    assert batch(1) == batch(1, seed=7)
    assert batch(1) != batch(2)


def test_a_restore_begins_new_episodes_and_keeps_what_was_learned_to_normalise_by():
    many = wrappers.NormalizeReward(wrappers.NormalizeObservation(pool(6)))
    sampler = sampler_of(many)
    sampler.obtain_samples(0, 33)
    vector = sampler._workers[0].vector_env
    known = KnownEnvs(check_env)
    assert known.learn(vector).mode == "restart"
    assert "EnvPool hands out no state" in known.learn(vector).reason
    twin = copy_exactly(copy_exactly(vector, known), known)
    assert twin.needs_reset
    assert twin.needs_seeds
    seen = twin.reset(range(6))
    assert twin.env.return_rms.var == vector.env.return_rms.var
    # The twin has seen six more observations, and not begun from nothing.
    assert twin.env.env.obs_rms.count == vector.env.env.obs_rms.count + 6
    assert seen.shape == (6, 4)
    assert isinstance(twin.env, wrappers.NormalizeReward)


def test_evaluates_in_a_single_environment_of_its_kind():
    env = copy.deepcopy(GymEnv(pool()))
    assert env.n_envs == 1
    assert env.spec.max_episode_length == LIMIT
    first, _ = env.reset(seed=4)
    again, _ = copy.deepcopy(env).reset(seed=4)
    np.testing.assert_array_equal(first, again)
    types = [env.step(k % 2).step_type for k in range(LIMIT)]
    assert types[-1] == StepType.TIMEOUT
    assert check_env(env).mode == "restart"


def test_says_what_it_cannot_step():
    with pytest.raises(ValueError, match="batch_size = num_envs"):
        GymEnv(pool(batch_size=3))
