import cloudpickle
import numpy as np
import pytest
from gymnasium import spaces

from garage_like.envs import PointEnv, RL2Env
from garage_like.np.actors import GaussianActor
from garage_like.np.gru import GRU
from garage_like.np.recurrent_actors import RecurrentActor, RecurrentNetwork
from garage_like.sampler import LocalSampler, RL2Worker

HIDDEN = 4


class RecurrentPolicy:
    def __init__(self, env_spec):
        self.env_spec = env_spec
        rng = np.random.default_rng(0)
        shapes = [(env_spec.observation_dim, 3 * HIDDEN), (HIDDEN, 3 * HIDDEN), (3 * HIDDEN,)]
        self.cell = GRU(*(rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes))
        self.output = rng.normal(size=(HIDDEN, 2)).astype(np.float32)

    def actor(self):
        network = RecurrentNetwork(self.cell, self.output, np.zeros(2, np.float32))
        space = spaces.Box(-np.inf, np.inf, (self.env_spec.observation_dim,))
        actor = GaussianActor(network, np.zeros(2, np.float32), space, (2,))
        return RecurrentActor(actor, network)

    def get_action(self, observation):
        raise AssertionError("samplers must act through the actor")


def make_worker(n_episodes_per_trial=3):
    env = RL2Env(PointEnv(max_episode_length=4, never_done=True))
    worker = RL2Worker(seed=1, n_episodes_per_trial=n_episodes_per_trial)
    worker.update_agent(RecurrentPolicy(env.spec))
    worker.update_env(env)
    return worker


def test_trials_are_whole():
    worker = make_worker()
    batch = worker.obtain_samples(13)
    assert batch.lengths.tolist() == [4] * 6
    assert batch.episode_infos_by_episode["EpisodeOfTrial"].tolist() == [0, 1, 2, 0, 1, 2]
    assert len(worker.obtain_episodes(3)) == 3


def test_memory_lasts_for_a_trial():
    worker = make_worker()
    batch = worker.obtain_samples(24)
    actor = worker._agent.actor()
    means = []
    for row, observation in enumerate(batch.observations):
        if row % 12 == 0:
            actor.remember(np.zeros((1, HIDDEN), np.float32))
        means.append(actor.act(observation[None], np.random.default_rng(0))[1]["mean"][0])
    np.testing.assert_allclose(means, batch.agent_infos["mean"], rtol=1e-5, atol=1e-6)


def test_observations_begin_anew_with_each_trial():
    batch = make_worker().obtain_samples(24)
    firsts = batch.observations[batch.ends - batch.lengths]
    assert firsts[:, -1].tolist() == [0, 1, 1, 0, 1, 1]


def test_pickle_goes_on(same_batch):
    env = RL2Env(PointEnv(max_episode_length=4))
    policy = RecurrentPolicy(env.spec)
    sampler = LocalSampler(policy, env, worker_class=RL2Worker, n_workers=2, seed=1)
    sampler.obtain_samples(0, 30)
    twin = cloudpickle.loads(cloudpickle.dumps(sampler))
    for itr in range(1, 3):
        assert same_batch(sampler.obtain_samples(itr, 30), twin.obtain_samples(itr, 30))


def test_episodes_must_make_whole_trials():
    with pytest.raises(ValueError, match="expected whole trials of 3 episodes, got n_episodes=4"):
        make_worker().obtain_episodes(4)


def test_environment_must_tell_of_trials():
    worker = RL2Worker()
    with pytest.raises(TypeError, match=r"must be an RL2Env, got .*PointEnv"):
        worker.update_env(PointEnv())


def test_number_of_episodes_must_be_positive():
    with pytest.raises(ValueError, match="n_episodes_per_trial must be at least 1, got 0"):
        RL2Worker(n_episodes_per_trial=0)
