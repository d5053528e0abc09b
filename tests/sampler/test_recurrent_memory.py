"""Workers keep what a recurrent policy remembers, for each environment that they step."""

import cloudpickle
import numpy as np
import pytest

from garage_like.data.batches import StepType
from garage_like.evaluation import obtain_evaluation_episodes, rollout
from garage_like.np.actors import CategoricalActor
from garage_like.np.lstm import LSTM
from garage_like.np.recurrent_actors import RecurrentActor, RecurrentNetwork
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler, VecWorker

HIDDEN = 3
WORKERS = pytest.mark.parametrize(
    ("worker_class", "worker_args"),
    [(DefaultWorker, {}), (VecWorker, {"n_envs": 3}), (FragmentWorker, {"n_envs": 3})],
    ids=["default", "vec", "fragment"],
)


class RecurrentPolicy:
    """An LSTM that sees the previous action; counts resets of its own memory."""

    def __init__(self, env_spec):
        self.env_spec = env_spec
        rng = np.random.default_rng(0)
        inputs = env_spec.observation_dim + env_spec.action_dim
        shapes = [(inputs, 4 * HIDDEN), (HIDDEN, 4 * HIDDEN), (4 * HIDDEN,)]
        self.weights = [rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]
        self.output = rng.normal(size=(HIDDEN, env_spec.action_dim)).astype(np.float32)
        self.resets = 0

    def actor(self):
        biases = np.zeros(self.env_spec.action_dim, np.float32)
        network = RecurrentNetwork(
            LSTM(*self.weights), self.output, biases, self.env_spec.action_dim
        )
        return RecurrentActor(CategoricalActor(network, self.env_spec.observation_space), network)

    def get_action(self, observation):
        raise AssertionError("samplers must act through the actor")

    get_actions = get_action

    def reset(self, do_resets=None):
        self.resets += 1


def replayed(policy, episode):
    """Act again on one episode's observations and actions; return the logits, shape (T, 4)."""
    actor = policy.actor()
    memory = episode.episode_infos_by_episode.get("Memory", np.zeros((1, actor.memory_dim)))
    actor.remember(memory.astype(np.float32))
    logits = []
    for observation, action in zip(episode.observations, episode.actions, strict=True):
        logits.append(actor.act(observation[None], np.random.default_rng(0))[1]["logits"][0])
        actor.note(np.array([action]))
    return np.array(logits)


@WORKERS
@pytest.mark.parametrize("n_workers", [1, 2])
def test_each_episode_is_acted_on_its_own_memory(parts, worker_class, worker_args, n_workers):
    env = parts.ScriptedEnv([3, 7, 5])
    policy = RecurrentPolicy(env.spec)
    sampler = LocalSampler(
        policy, env, worker_class=worker_class, worker_args=worker_args, n_workers=n_workers, seed=1
    )
    for itr in range(3):
        for episode in sampler.obtain_samples(itr, 40).split():
            np.testing.assert_allclose(
                replayed(policy, episode), episode.agent_infos["logits"], rtol=1e-4, atol=1e-5
            )


@WORKERS
def test_a_pickle_goes_on_with_the_same_memory(parts, same_batch, worker_class, worker_args):
    env = parts.ScriptedEnv([3, 70, 5])
    policy = RecurrentPolicy(env.spec)
    sampler = LocalSampler(
        policy, env, worker_class=worker_class, worker_args=worker_args, n_workers=2, seed=1
    )
    sampler.obtain_samples(0, 50)
    twin = cloudpickle.loads(cloudpickle.dumps(sampler))
    for itr in range(1, 4):
        assert same_batch(sampler.obtain_samples(itr, 50), twin.obtain_samples(itr, 50))


def test_fragments_put_together_are_the_episodes_of_one_call(parts):
    def collect(*amounts):
        env = parts.ScriptedEnv([3, 70, 5])
        worker = FragmentWorker(n_envs=2, seed=3)
        worker.update_agent(RecurrentPolicy(env.spec))
        worker.update_env(env)
        return [worker.obtain_samples(amount).agent_infos["logits"] for amount in amounts]

    pieces, (whole,) = collect(*[2] * 30), collect(60)
    ours = np.sort(np.concatenate(pieces), axis=0)
    assert ours.tobytes() == np.sort(whole, axis=0).tobytes()


def test_only_a_fragment_in_the_middle_of_an_episode_has_something_to_remember(parts):
    env = parts.ScriptedEnv([5])
    worker = FragmentWorker(n_envs=2, seed=3)
    worker.update_agent(RecurrentPolicy(env.spec))
    worker.update_env(env)
    batch = worker.obtain_samples(6)
    assert not batch.episode_infos_by_episode["Memory"].any()
    batch = worker.obtain_samples(6)
    begins = batch.step_types[batch.ends - batch.lengths]
    assert begins.tolist() == [StepType.MID, StepType.MID, StepType.FIRST, StepType.FIRST]
    remembers = batch.episode_infos_by_episode["Memory"].any(axis=1)
    assert remembers.tolist() == [True, True, False, False]


@WORKERS
def test_the_policys_own_memory_is_left_alone(parts, worker_class, worker_args):
    env = parts.ScriptedEnv([3])
    policy = RecurrentPolicy(env.spec)
    worker = worker_class(**worker_args)
    worker.update_agent(policy)
    worker.update_env(env)
    worker.obtain_samples(12)
    assert policy.resets == 0


def test_another_policy_begins_with_a_blank_memory(parts):
    env = parts.ScriptedEnv([3])
    worker = DefaultWorker()
    worker.update_env(env)
    worker.update_agent(RecurrentPolicy(env.spec))
    worker.obtain_episodes(1)
    worker.update_agent(parts.ConstantPolicy(1))
    assert worker.obtain_episodes(1).actions.tolist() == [1, 1, 1]
    assert worker._memory is None


@pytest.mark.parametrize("deterministic", [False, True])
def test_evaluation_remembers_each_episode(parts, deterministic):
    env = parts.ScriptedEnv([3, 7, 5])
    policy = RecurrentPolicy(env.spec)
    batch = obtain_evaluation_episodes(policy, env, num_eps=5, deterministic=deterministic)
    for episode in batch.split():
        np.testing.assert_allclose(
            replayed(policy, episode), episode.agent_infos["logits"], rtol=1e-4, atol=1e-5
        )


def test_a_rollout_remembers_its_episode(parts):
    env = parts.ScriptedEnv([6])
    policy = RecurrentPolicy(env.spec)
    episode = rollout(env, policy)
    actor = policy.actor()
    actor.remember(np.zeros((1, actor.memory_dim), np.float32))
    logits = []
    for observation, action in zip(episode["observations"], episode["actions"], strict=True):
        logits.append(actor.act(observation[None], np.random.default_rng(0))[1]["logits"][0])
        actor.note(np.array([action]))
    np.testing.assert_array_equal(logits, episode["agent_infos"]["logits"])
