import numpy as np
import pytest

from garage_like import seeding
from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.sampler import VecWorker


@pytest.fixture
def worker(parts):
    def make(env, policy=None, **kwargs):
        made = VecWorker(**kwargs)
        made.update_agent(policy or parts.ConstantPolicy())
        made.update_env(env)
        return made

    return make


def test_plays_exactly_as_many_episodes_as_asked_for(worker, parts):
    made = worker(parts.ScriptedEnv([2, 5]), n_envs=3)
    batch = made.obtain_episodes(4)
    # Three environments play their first episode (length 2) side by side, one its second.
    assert batch.lengths.tolist() == [2, 2, 2, 5]
    assert (batch.last_step_types == StepType.TERMINAL).all()


def test_fewer_episodes_than_environments(worker, parts):
    assert worker(parts.ScriptedEnv([2]), n_envs=5).obtain_episodes(2).lengths.tolist() == [2, 2]


def test_every_row_is_where_it_belongs(worker, parts):
    env = parts.ScriptedEnv([2, 3], info=lambda episode, count: {"where": [episode, count]})
    batch = worker(env, n_envs=2).obtain_episodes(4)
    assert batch.lengths.tolist() == [2, 2, 3, 3]
    episodes = batch.episode_infos["episode"]
    assert episodes.tolist() == [0] * 4 + [1] * 6
    np.testing.assert_array_equal(batch.observations[:, 0], episodes)
    np.testing.assert_array_equal(batch.observations[:, 1], batch.rewards - 1)
    np.testing.assert_array_equal(batch.env_infos["where"], batch.next_observations)
    # Agent infos tell which row of the actor's batch a step was.
    assert batch.agent_infos["row"].tolist() == [0, 0, 1, 1, 0, 0, 0, 1, 1, 1]


def test_decisions_belong_to_the_observations_they_were_taken_on(worker, parts):
    class Echo(parts.ConstantPolicy):
        def actor(self):
            return self

        def act(self, observations, rng):
            code = observations[:, 0] * 100 + observations[:, 1]
            return (observations[:, 1] % 4).astype(int), {"code": code, "saw": observations.copy()}

    batch = worker(parts.ScriptedEnv([2, 5, 3]), Echo(), n_envs=3).obtain_samples(40)
    np.testing.assert_array_equal(batch.agent_infos["saw"], batch.observations)
    np.testing.assert_array_equal(batch.actions, batch.observations[:, 1] % 4)


def test_same_episodes_as_environments_stepped_alone(worker, parts):
    env = GymEnv("CartPole-v1")
    policy = parts.ConstantPolicy(1)
    together = worker(env, policy, n_envs=4, seed=2).obtain_episodes(4).split()
    for column, episode in enumerate(together):
        alone = GymEnv("CartPole-v1")
        first, _ = alone.reset(seed=seeding.integer_seed("env", 0, column, entropy=2))
        np.testing.assert_array_equal(episode.observations[0], first)
        np.testing.assert_array_equal(
            episode.next_observations,
            [alone.step(1).observation for _ in range(len(episode.rewards))],
        )


def test_begins_no_more_episodes_than_are_expected_to_be_needed(worker, parts):
    made = worker(parts.ScriptedEnv([10], limit=10), n_envs=8)
    assert made.obtain_samples(30).lengths.tolist() == [10] * 3


def test_learns_how_long_episodes_are(worker, parts):
    made = worker(parts.ScriptedEnv([5], limit=100), n_envs=4)
    made.obtain_samples(100)
    assert made.obtain_samples(100).num_steps == 100


def test_always_reaches_the_number_of_steps(worker, parts):
    made = worker(parts.ScriptedEnv([1, 9, 2]), n_envs=3)
    assert all(made.obtain_samples(n).num_steps >= n for n in (1, 7, 20, 50, 3))


def test_short_episodes_are_no_more_frequent_than_they_are_played(worker, parts):
    class Lottery(parts.ScriptedEnv):
        def reset(self, *, seed=None):
            if seed is not None:
                self.rng = np.random.default_rng(seed)
            self.lengths = (2 if self.rng.random() < 0.5 else 40,)
            return super().reset(seed=seed)

    made = worker(Lottery(), n_envs=8, seed=0)
    lengths = np.concatenate([made.obtain_samples(300).lengths for _ in range(150)])
    # 2,000 episodes: the standard error of the share is 1.1 %.
    assert len(lengths) > 1500
    assert abs((lengths == 2).mean() - 0.5) < 0.04


def test_nothing_is_left_unfinished(worker, parts):
    made = worker(parts.ScriptedEnv([3, 7, 2]), n_envs=4)
    for _ in range(5):
        batch = made.obtain_samples(11)
        assert (batch.last_step_types == StepType.TERMINAL).all()
        starts = batch.ends - batch.lengths
        assert (batch.step_types[starts] == StepType.FIRST).all()


def test_own_limit_cuts_episodes_off(worker, parts):
    batch = worker(parts.ScriptedEnv([2, 9]), n_envs=2, max_episode_length=3).obtain_episodes(4)
    assert batch.last_step_types.tolist() == [2, 2, 3, 3]
    assert batch.lengths.tolist() == [2, 2, 3, 3]


def test_each_environment_has_a_seed_of_its_own(worker, parts):
    made = worker(parts.ScriptedEnv([2]), n_envs=4)
    made.obtain_episodes(8)
    seeds = [env.seeds for env in made._envs]
    assert len({first for first, *_ in seeds}) == 4
    assert all(later == [None] for _, *later in seeds)


def test_policy_forgets_the_row_of_each_new_episode(worker, parts):
    policy = parts.ConstantPolicy()
    worker(parts.ScriptedEnv([2, 4]), policy, n_envs=2).obtain_episodes(3)
    assert policy.resets == [[True, False], [False, True], [True, False]]


def test_number_of_environments_must_be_positive():
    with pytest.raises(ValueError, match="VecWorker: n_envs must be an integer of at least 1"):
        VecWorker(n_envs=0)
