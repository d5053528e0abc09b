"""VectorWorker: what it hands out is what GymEnv gives, step by step, in every autoreset mode."""

import copy
import pickle
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as wrappers

from garage_like import seeding
from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.envs.wrapper import Wrapper
from garage_like.sampler import FragmentWorker, LocalSampler, VectorWorker
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.graph.pickling import copy_exactly

MODES = list(AutoresetMode)
EACH_MODE = pytest.mark.parametrize("mode", MODES, ids=[mode.value for mode in MODES])


class Told(gymnasium.Wrapper):
    """Tells an integer, and something else where an episode ends."""

    def step(self, action):
        self.count += 1
        *rest, info = self.env.step(action)
        if rest[2] or rest[3]:
            info = {**info, "last": 1.5}
        return (*rest, {**info, "count": self.count})

    def reset(self, **kwargs):
        self.count = 0
        return self.env.reset(**kwargs)


class ByWhatItSees:
    """Acts by the observation alone, so what an environment is given does not depend on ticks."""

    memory_dim = 0

    def __init__(self, space):
        self.space = space

    def actor(self):
        return self

    def get_action(self, observation):
        actions, _ = self.act(observation[None], None)
        return actions[0], {}

    def reset(self, do_resets=None):
        pass

    def act(self, observations, rng):
        code = (np.abs(observations).sum(axis=1) * 1e4).astype(np.int64)
        if isinstance(self.space, gymnasium.spaces.Discrete):
            actions = code % self.space.n
        else:
            actions = ((code % 200)[:, None] / 100.0 - 1.0).astype(np.float32)
        return actions, {"seen": observations.copy()}


def make_sync(env_id, mode, n=5, cls=SyncVectorEnv, **kwargs):
    made = partial(lambda: Told(gymnasium.make(env_id, max_episode_steps=23, **kwargs)))
    return cls([made] * n, autoreset_mode=mode)


def worker_on(vector, policy=None):
    env = GymEnv(vector)
    worker = VectorWorker(n_envs=env.n_envs, seed=4)
    worker.update_agent(policy or ByWhatItSees(env.action_space))
    worker.update_env(env)
    return worker


def played_alone(env_id, column, lengths):
    """Play fragments of these lengths in a single environment, seeded as the worker's is."""
    env = GymEnv(Told(gymnasium.make(env_id, max_episode_steps=23)))
    policy = ByWhatItSees(env.action_space)
    observation, _ = env.reset(seed=seeding.integer_seed("env", 0, column, entropy=4))
    steps, last = [], []
    for length in lengths:
        for _ in range(length):
            if env.needs_reset:
                observation, _ = env.reset()
            action, _ = policy.get_action(observation)
            step = env.step(action)
            steps.append((observation, action, step))
            observation = step.observation
        last.append(observation)
    return steps, last


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
@EACH_MODE
def test_every_step_is_the_single_environments(env_id, mode):
    worker = worker_on(make_sync(env_id, mode))
    batches = [worker.obtain_samples(count) for count in (60, 3, 250)]
    assert all(b.num_steps >= count for b, count in zip(batches, (60, 3, 250), strict=True))
    fragments = [fragment for batch in batches for fragment in batch.split()]
    ended = [[], [], [], [], []]
    # Whose fragment it is: an environment's observations follow one another.
    now = {}
    for fragment in fragments:
        first = fragment.observations[0].tobytes()
        column = now.pop(first, None)
        if column is None:
            starts = [s[0].tobytes() for s in (_first(env_id, k) for k in range(5))]
            column = starts.index(first) if first in starts else _column_after(ended, env_id, first)
        ended[column].append(fragment)
        now[fragment.last_observations[0].tobytes()] = column
    seen = 0
    for column, theirs in enumerate(ended):
        steps, last = played_alone(env_id, column, [len(f.rewards) for f in theirs])
        rows = [row for f in theirs for row in range(len(f.rewards))]
        assert len(rows) == len(steps)
        got = [(f, row) for f in theirs for row in range(len(f.rewards))]
        for (fragment, row), (observation, action, step) in zip(got, steps, strict=True):
            np.testing.assert_array_equal(fragment.observations[row], observation)
            np.testing.assert_array_equal(fragment.actions[row], action)
            np.testing.assert_array_equal(fragment.agent_infos["seen"][row], observation)
            assert fragment.rewards[row] == step.reward
            assert fragment.step_types[row] == step.step_type
            assert fragment.env_infos["count"][row] == step.env_info["count"]
            seen += 1
        for fragment, observation in zip(theirs, last, strict=True):
            np.testing.assert_array_equal(fragment.last_observations[0], observation)
    assert seen == sum(batch.num_steps for batch in batches)
    types = np.concatenate([batch.step_types for batch in batches])
    assert (types == StepType.TIMEOUT).any()
    assert (types == StepType.TERMINAL).any() == (env_id == "CartPole-v1")


def _first(env_id, column):
    env = GymEnv(gymnasium.make(env_id))
    return env.reset(seed=seeding.integer_seed("env", 0, column, entropy=4))


def _column_after(ended, env_id, first):
    """Find the environment whose next episode begins so."""
    for column, theirs in enumerate(ended):
        if theirs and theirs[-1].step_types[-1] >= StepType.TERMINAL:
            env = GymEnv(Told(gymnasium.make(env_id, max_episode_steps=23)))
            env.reset(seed=seeding.integer_seed("env", 0, column, entropy=4))
            episodes = sum(f.step_types[-1] >= StepType.TERMINAL for f in theirs)
            for _ in range(episodes):
                observation, _ = env.reset()
            if observation.tobytes() == first:
                return column
    raise AssertionError("an episode that no environment begins")


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_batches_have_the_bits_of_a_fragment_workers(mode):
    ours = worker_on(make_sync("CartPole-v1", mode))
    theirs = FragmentWorker(n_envs=5, seed=4)
    theirs.update_agent(ByWhatItSees(gymnasium.spaces.Discrete(2)))
    theirs.update_env(GymEnv(Told(gymnasium.make("CartPole-v1", max_episode_steps=23))))
    for _ in range(4):
        one, other = ours.obtain_samples(120), theirs.obtain_samples(120)
        for name in ("observations", "last_observations", "actions", "rewards", "lengths"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        np.testing.assert_array_equal(one.step_types, other.step_types)
        for name in ("EpisodeReturn", "EpisodeLength"):
            np.testing.assert_array_equal(
                one.episode_infos_by_episode[name], other.episode_infos_by_episode[name]
            )
        for name in ("count", "last"):
            np.testing.assert_array_equal(one.env_infos[name], other.env_infos[name])


@EACH_MODE
def test_whole_episodes_are_whole_and_as_many_as_asked_for(mode):
    worker = worker_on(make_sync("CartPole-v1", mode))
    worker.obtain_samples(31)
    for wanted in (3, 5, 12):
        batch = worker.obtain_episodes(wanted)
        assert len(batch) == wanted
        assert (batch.last_step_types >= StepType.TERMINAL).all()
        starts = np.cumsum(batch.lengths) - batch.lengths
        assert (batch.env_infos["count"][starts] == 1).all()
        assert (batch.env_infos["count"][starts + batch.lengths - 1] == batch.lengths).all()
    assert worker.obtain_samples(20).step_types[0] == StepType.FIRST


@EACH_MODE
def test_returns_of_whole_episodes_are_told_over_calls(mode):
    worker = worker_on(make_sync("Pendulum-v1", mode, n=2))
    totals, ended = [0.0, 0.0], 0
    for _ in range(30):
        for number, fragment in enumerate(worker.obtain_samples(8).split()):
            column = number % 2  # no episode ends early, so both go in step
            totals[column] += fragment.rewards.sum()
            told = fragment.episode_infos_by_episode
            assert told["EpisodeReturn"][0] == pytest.approx(totals[column], rel=1e-12)
            if fragment.step_types[-1] == StepType.TIMEOUT:
                assert told["EpisodeLength"][0] == 23
                totals[column] = 0.0
                ended += 1
    assert ended >= 8


@EACH_MODE
def test_goes_on_exactly_from_a_copy_taken_in_mid_episode(mode):
    worker = worker_on(make_sync("CartPole-v1", mode))
    for count in (37, 1, 52):
        worker.obtain_samples(count)
        twin = copy_exactly(worker)
        for _ in range(3):
            one, other = worker.obtain_samples(44), twin.obtain_samples(44)
            for name in ("observations", "actions", "rewards", "step_types", "lengths"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


class Counting(ByWhatItSees):
    """Remembers how many decisions it has taken in each environment's episode."""

    memory_dim = 1

    def remember(self, memory):
        self.memory = memory

    def act(self, observations, rng):
        actions, infos = super().act(observations, rng)
        self.memory += 1
        return actions, {**infos, "decision": self.memory[:, 0].copy()}


@EACH_MODE
def test_memory_begins_blank_with_each_episode(mode):
    worker = worker_on(make_sync("CartPole-v1", mode), Counting(gymnasium.spaces.Discrete(2)))
    for _ in range(6):
        batch = worker.obtain_samples(40)
        np.testing.assert_array_equal(batch.agent_infos["decision"], batch.env_infos["count"])
        starts = np.cumsum(batch.lengths) - batch.lengths
        memory = batch.episode_infos_by_episode["Memory"][:, 0]
        np.testing.assert_array_equal(memory, batch.env_infos["count"][starts] - 1)


def test_finds_the_native_form_by_itself_from_four_on():
    env = GymEnv("CartPole-v1", max_episode_length=30)
    for n_envs, native in ((3, False), (4, True), (300, True)):
        sampler = LocalSampler(ByWhatItSees(env.action_space), env, n_envs=n_envs, seed=1)
        batch = sampler.obtain_samples(0, 10 * n_envs)
        assert (sampler._workers[0].vector_env is not None) == native
        assert batch.num_steps >= 10 * n_envs
        assert batch.lengths.max() <= 30
    assert sampler.obtain_samples(0, 9000).last_step_types.max() == StepType.TIMEOUT


def test_native_transitions_are_the_single_environments():
    env = GymEnv("CartPole-v1")
    sampler = LocalSampler(ByWhatItSees(env.action_space), env, n_envs=16, seed=1)
    batch = sampler.obtain_samples(0, 600)
    alone = gymnasium.make("CartPole-v1").unwrapped
    alone.reset(seed=0)
    following = batch.next_observations
    for row in range(0, batch.num_steps, 7):
        alone.state = batch.observations[row].astype(float)
        alone.steps_beyond_terminated = None
        observation, reward, terminated, _, _ = alone.step(int(batch.actions[row]))
        np.testing.assert_allclose(observation, following[row], atol=1e-5)
        assert reward == batch.rewards[row]
        assert terminated == (batch.step_types[row] == StepType.TERMINAL)


def test_environment_that_was_changed_is_stepped_as_it_is():
    heavy = GymEnv("CartPole-v1")
    heavy.gym_env.unwrapped.gravity = 20.0
    wrapped = GymEnv(gymnasium.wrappers.ClipReward(gymnasium.make("CartPole-v1"), -1, 1))
    for env in (heavy, wrapped, GymEnv("Pendulum-v1")):
        sampler = LocalSampler(ByWhatItSees(env.action_space), env, n_envs=4)
        assert sampler.obtain_samples(0, 40).num_steps == 40
        assert sampler._workers[0].vector_env is None


def test_worker_cuts_native_episodes_off_earlier():
    env = GymEnv("CartPole-v1")
    policy = ByWhatItSees(env.action_space)
    sampler = LocalSampler(policy, env, n_envs=8, max_episode_length=7)
    assert sampler.obtain_samples(0, 400).lengths.max() <= 7
    assert sampler.obtain_exact_episodes(10).lengths.max() <= 7


def test_same_seed_gives_the_same_bits():
    def batch(seed):
        seeding.set_seed(seed)
        env = GymEnv("CartPole-v1")
        return LocalSampler(ByWhatItSees(env.action_space), env, n_envs=8).obtain_samples(0, 200)

    assert batch(3).observations.tobytes() == batch(3).observations.tobytes()
    assert batch(3).observations.tobytes() != batch(5).observations.tobytes()


def test_a_copy_of_it_is_a_single_environment():
    env = GymEnv(gymnasium.make_vec("CartPole-v1", 6))
    assert env.n_envs == 6
    assert copy.deepcopy(env).n_envs == 1
    env.reset(seed=1)
    assert env.step(0).observation.shape == (4,)
    assert env.spec.max_episode_length == 500


def test_rooms_are_not_saved():
    env = GymEnv("CartPole-v1")
    sampler = LocalSampler(ByWhatItSees(env.action_space), env, n_envs=8)
    sampler.obtain_samples(0, 20_000)
    assert len(pickle.dumps(sampler._workers[0])) < 50_000


def test_says_what_does_not_go_together():
    vector = GymEnv(gymnasium.make_vec("CartPole-v1", 4, vectorization_mode="sync"))
    policy = ByWhatItSees(vector.action_space)
    with pytest.raises(ValueError, match=r"n_envs=4 and max_episode_length=500, but .* 5 and 500"):
        LocalSampler(policy, vector, n_envs=5).obtain_samples(0, 10)
    with pytest.raises(TypeError, match="leave worker_class out"):
        LocalSampler(policy, vector, worker_class=FragmentWorker).obtain_samples(0, 10)
    wrapped = Wrapper(GymEnv(gymnasium.make_vec("Pendulum-v1", 4)))
    with pytest.raises(ValueError, match="Wrapper has no form that steps 4 environments"):
        LocalSampler(policy, wrapped).obtain_samples(0, 10)
    with pytest.raises(ValueError, match="max_episode_steps"):
        GymEnv(vector.vector_form(4, 500).env, max_episode_length=5)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_worker_processes_give_what_one_process_gives(mode):
    ours = worker_on(make_sync("CartPole-v1", mode, n=2))
    theirs = worker_on(make_sync("CartPole-v1", mode, n=2, cls=AsyncVectorEnv))
    try:
        for _ in range(3):
            one, other = ours.obtain_samples(40), theirs.obtain_samples(40)
            np.testing.assert_array_equal(one.observations, other.observations)
            np.testing.assert_array_equal(one.step_types, other.step_types)
    finally:
        theirs.shutdown()


def test_label_of_worker_processes_is_that_of_one_environment():
    worker = worker_on(make_sync("CartPole-v1", AutoresetMode.NEXT_STEP, n=2, cls=AsyncVectorEnv))
    try:
        worker.obtain_samples(10)
        assert check_env(worker.vector_env).exact
    finally:
        worker.shutdown()


@pytest.mark.parametrize("learns", [False, True], ids=["plain", "normalised"])
def test_native_ones_go_on_exactly_from_a_copy_taken_in_mid_episode(learns):
    many = gymnasium.make_vec("CartPole-v1", 6, vectorization_mode="vector_entry_point")
    if learns:
        many = wrappers.NormalizeReward(wrappers.NormalizeObservation(many))
    worker = worker_on(many)
    for count in (37, 100):
        worker.obtain_samples(count)
        twin = copy_exactly(worker)
        for method, amount in (("obtain_samples", 90), ("obtain_episodes", 7)):
            one, other = (getattr(each, method)(amount) for each in (worker, twin))
            for name in ("observations", "actions", "rewards", "step_types", "lengths"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    if learns:
        assert one.rewards.std() > 0
        assert check_env(worker.vector_env).exact


def test_memory_of_native_ones_goes_on_exactly_in_mid_episode():
    env = GymEnv("CartPole-v1", max_episode_length=9)
    sampler = LocalSampler(Counting(env.action_space), env, n_envs=8, seed=1)
    sampler.obtain_samples(0, 44)
    twin = copy_exactly(sampler)
    for each in (sampler, twin):
        batch = each.obtain_samples(0, 200)
        starts = np.cumsum(batch.lengths) - batch.lengths
        memory = batch.episode_infos_by_episode["Memory"][:, 0]
        assert memory[batch.step_types[starts] == StepType.FIRST].max() == 0
        assert memory.max() > 0
        np.testing.assert_array_equal(batch.agent_infos["decision"][starts], memory + 1)
