import numpy as np
import pytest

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.envs import GridWorldEnv, GymEnv, MultiEnvWrapper, PointEnv, normalize
from garage_like.envs.multi_env_wrapper import round_robin_strategy
from garage_like.evaluation import (
    DeterministicAgent,
    log_multitask_performance,
    log_performance,
    obtain_evaluation_episodes,
    rollout,
)
from garage_like.logging import tabular
from garage_like.sampler import FragmentWorker, LocalSampler

FIRST, MID, TERMINAL, TIMEOUT = StepType


class Walker:
    """Walks to the goal of a PointEnv as its mean says, with noise."""

    def __init__(self):
        self.resets = 0

    def actor(self):
        return self

    def get_action(self, observation):
        actions, infos = self.act(observation[None], np.random.default_rng(0))
        return actions[0], infos

    def act(self, observations, rng):
        means = np.full((len(observations), 2), 0.1, np.float32)
        return means + rng.normal(0, 0.05, means.shape).astype(np.float32), {"mean": means}

    def reset(self, do_resets=None):
        self.resets += 1


class Gambler(Walker):
    """Prefers to go right, and reports it by the key it is told."""

    def __init__(self, key):
        super().__init__()
        self.key = key

    def act(self, observations, rng):
        infos = {self.key: np.tile(np.array([0.2, 0.1, 0.4, 0.3]), (len(observations), 1))}
        return rng.integers(0, 4, len(observations)), infos


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    pass


@pytest.fixture
def logged():
    """Return a function that records a batch and returns the row's values by key."""
    tabular.mark_all()
    tabular.clear()

    def log(batch, discount=0.5, **kwargs):
        returns = log_performance(7, batch, discount, **kwargs)
        row = dict(tabular.as_primitive_dict)
        tabular.mark_all()
        tabular.clear()
        return returns, row

    return log


def batch_of(*episodes, **changes):
    """Build a batch from lists of (reward, step type)."""
    steps = [step for episode in episodes for step in episode]
    arguments = {
        "env_spec": PointEnv().spec,
        "episode_infos_by_episode": {},
        "observations": np.zeros((len(steps), 3)),
        "last_observations": np.zeros((len(episodes), 3)),
        "actions": np.zeros((len(steps), 2)),
        "rewards": np.array([reward for reward, _ in steps], float),
        "env_infos": {},
        "agent_infos": {},
        "step_types": np.array([kind for _, kind in steps], np.uint8),
        "lengths": np.array([len(episode) for episode in episodes]),
    }
    return EpisodeBatch(**{**arguments, **changes})


def test_records_the_returns_of_whole_episodes(logged):
    batch = batch_of([(1, FIRST), (2, MID), (4, TERMINAL)], [(3, FIRST), (2, TIMEOUT)])
    returns, row = logged(batch)
    assert returns == [7.0, 5.0]
    assert row == {
        "Evaluation/Iteration": 7,
        "Evaluation/NumEpisodes": 2,
        "Evaluation/AverageDiscountedReturn": (1 + 1 + 1 + 3 + 1) / 2,
        "Evaluation/AverageReturn": 6.0,
        "Evaluation/StdReturn": 1.0,
        "Evaluation/MaxReturn": 7.0,
        "Evaluation/MinReturn": 5.0,
        "Evaluation/TerminationRate": 0.5,
    }


def test_prefix_replaces_evaluation(logged):
    _, row = logged(batch_of([(1, TERMINAL)]), prefix="Test")
    assert {key.split("/")[0] for key in row} == {"Test"}


def test_success_rate_counts_episodes_with_any_success(logged):
    batch = batch_of(
        [(0, FIRST), (0, MID), (0, TIMEOUT)],
        [(0, FIRST), (0, TERMINAL)],
        env_infos={"success": np.array([False, True, False, False, False])},
    )
    assert logged(batch)[1]["Evaluation/SuccessRate"] == 0.5


def test_fragments_count_the_episodes_that_ended_with_their_whole_return(logged):
    infos = {
        "EpisodeReturn": np.array([10.0, 3.0, 2.0]),
        "EpisodeLength": np.array([5, 2, 1]),
    }
    batch = batch_of(
        [(1, MID), (1, TERMINAL)],
        [(2, FIRST), (1, TIMEOUT)],
        [(2, FIRST)],
        episode_infos_by_episode=infos,
        env_infos={"success": np.array([0, 1, 0, 0, 1])},
    )
    returns, row = logged(batch)
    assert returns == [10.0, 3.0]
    assert row["Evaluation/NumEpisodes"] == 2
    assert row["Evaluation/AverageReturn"] == 6.5
    assert row["Evaluation/TerminationRate"] == 0.5
    assert row["Evaluation/SuccessRate"] == 0.5
    # Only the second lies within the batch from its first step on.
    assert row["Evaluation/AverageDiscountedReturn"] == 2.5


def test_fragments_of_which_none_ended_record_nan(logged):
    infos = {"EpisodeReturn": np.array([1.0]), "EpisodeLength": np.array([1])}
    returns, row = logged(batch_of([(1, FIRST)], episode_infos_by_episode=infos))
    assert returns == []
    assert row["Evaluation/NumEpisodes"] == 0
    assert np.isnan(row["Evaluation/AverageReturn"])
    assert np.isnan(row["Evaluation/TerminationRate"])


def test_fragments_report_every_episode_once_with_its_return(logged):
    env = PointEnv(max_episode_length=6)
    expected = rollout(env, DeterministicAgent(Walker()))["rewards"].sum()
    sampler = LocalSampler(
        DeterministicAgent(Walker()), env, worker_class=FragmentWorker, worker_args={"n_envs": 2}
    )
    found = [r for itr in range(15) for r in logged(sampler.obtain_samples(itr, 8))[0]]
    # 15 calls of 4 env steps in each of 2 environments, where an episode lasts 6.
    assert found == pytest.approx([expected] * 20)


def test_rollout_plays_one_episode():
    episode = rollout(PointEnv(goal=(0.3, 0.3)), Walker(), deterministic=True)
    assert episode["actions"].tolist() == pytest.approx(np.full((3, 2), 0.1))
    assert episode["step_types"].tolist() == [FIRST, MID, TERMINAL]
    assert episode["next_observations"].shape == episode["observations"].shape == (3, 3)
    assert episode["env_infos"]["success"].tolist() == [False, False, True]
    assert episode["agent_infos"]["mean"].shape == (3, 2)
    assert episode["episode_infos"]["goal"].shape == (1, 2)


def test_rollout_makes_a_batch():
    env = PointEnv(goal=(0.3, 0.3))
    episodes = [rollout(env, Walker()) for _ in range(2)]
    assert len(EpisodeBatch.from_list(env.spec, episodes)) == 2


def test_rollout_is_cut_off_at_the_limit():
    episode = rollout(PointEnv(), Walker(), max_episode_length=4)
    assert episode["step_types"].tolist() == [FIRST, MID, MID, TIMEOUT]


def test_rollout_keeps_a_termination_at_the_limit():
    env = PointEnv(goal=(0.2, 0.2))
    episode = rollout(env, Walker(), max_episode_length=2, deterministic=True)
    assert episode["step_types"].tolist() == [FIRST, TERMINAL]


def test_rollout_samples_from_the_given_generator():
    def play(seed, **kwargs):
        rng = np.random.default_rng(seed)
        return rollout(PointEnv(), Walker(), max_episode_length=3, rng=rng)["actions"].tolist()

    assert play(1) == play(1) != play(2)


@pytest.mark.parametrize("key", ["logits", "prob"])
def test_deterministic_takes_the_likeliest_action(key):
    episode = rollout(GridWorldEnv("chain"), Gambler(key), deterministic=True)
    assert episode["actions"].tolist() == [2] * 5


def test_animated_rollout_of_an_environment_without_a_window_says_so():
    with pytest.raises(NotImplementedError, match="GridWorldEnv has no window to show"):
        rollout(GridWorldEnv("chain"), Gambler("prob"), animated=True)


def test_animation_is_shown_at_the_speed_asked_for():
    class Shown(PointEnv):
        shown = 0

        def visualize(self):
            self.shown += 1

    env = Shown(goal=(0.2, 0.2))
    rollout(env, Walker(), animated=True, speedup=1000, deterministic=True)
    assert env.shown == 1
    with pytest.raises(ValueError, match="rollout: speedup must be positive, got 0"):
        rollout(env, Walker(), animated=True, speedup=0)


@pytest.mark.parametrize("num_eps", [1, 5, 20])
def test_evaluation_plays_exactly_as_many_episodes_as_asked_for(num_eps):
    batch = obtain_evaluation_episodes(Walker(), PointEnv(goal=(0.3, 0.3)), num_eps=num_eps)
    assert len(batch) == num_eps
    assert batch.lengths.tolist() == [3] * num_eps


def test_evaluation_samples_if_not_deterministic():
    def play(**kwargs):
        env = PointEnv()
        return obtain_evaluation_episodes(Walker(), env, 5, 2, **kwargs).actions

    assert np.ptp(play()) == 0
    assert np.ptp(play(deterministic=False)) > 0


def test_evaluation_repeats_its_situations_unless_given_a_generator():
    def starts(**kwargs):
        batch = obtain_evaluation_episodes(
            Gambler("prob"), GymEnv("FrozenLake-v1"), 9, 9, deterministic=False, **kwargs
        )
        return batch.observations.tolist()

    rng = np.random.default_rng(0)
    assert starts() == starts()
    assert starts(rng=rng) != starts(rng=rng)


def test_evaluation_leaves_environment_and_random_numbers_alone():
    env = normalize(GymEnv("Pendulum-v1", max_episode_length=5), normalize_obs=True)
    env.reset(seed=1)
    mean, state = env._obs_mean.copy(), env.unwrapped.gym_env.unwrapped.state.copy()
    generator = env.unwrapped.gym_env.np_random.bit_generator.state
    before = np.random.get_state()[1].tolist()

    class Still(Walker):
        def act(self, observations, rng):
            return rng.normal(size=(len(observations), 1)), {}

    batch = obtain_evaluation_episodes(Still(), env, num_eps=3)
    assert len(batch) == 3
    np.testing.assert_array_equal(env._obs_mean, mean)
    np.testing.assert_array_equal(env.unwrapped.gym_env.unwrapped.state, state)
    assert env.unwrapped.gym_env.np_random.bit_generator.state == generator
    assert np.random.get_state()[1].tolist() == before
    assert not env.needs_reset


def test_evaluation_uses_the_statistics_of_training():
    env = normalize(PointEnv(max_episode_length=2), normalize_obs=True)
    env._obs_mean[:] = 100.0
    batch = obtain_evaluation_episodes(Walker(), env, num_eps=1)
    assert (batch.observations < -20).all()


def test_evaluation_closes_its_copies():
    closed = []

    class Closing(PointEnv):
        def close(self):
            closed.append(self)

    env = Closing(goal=(0.1, 0.1))
    obtain_evaluation_episodes(Walker(), env, num_eps=2)
    assert len(closed) == 2
    assert env not in closed


def test_number_of_evaluation_episodes_must_be_positive():
    with pytest.raises(ValueError, match="num_eps must be at least 1, got 0"):
        obtain_evaluation_episodes(Walker(), PointEnv(), num_eps=0)


def test_tasks_are_recorded_by_name_and_together(logged):
    envs = [PointEnv(goal=(k, 0), max_episode_length=2) for k in (1, 3)]
    for names, expected, name_map in (
        (["near", "far"], ["near", "far"], {0: "near", 2: "none"}),
        (None, ["near", "Task #1"], {0: "near"}),
    ):
        multi = MultiEnvWrapper(envs, round_robin_strategy, env_names=names)
        sampler = LocalSampler(Walker(), multi)
        returns = log_multitask_performance(7, sampler.obtain_exact_episodes(3), 0.9, name_map)
        recorded = dict(tabular.as_primitive_dict)
        tabular.mark_all()
        tabular.clear()
        assert recorded[f"{expected[0]}/AverageReturn"] == (returns[0] + returns[2]) / 2
        assert recorded[f"{expected[1]}/AverageReturn"] == returns[1]
        np.testing.assert_allclose(recorded["Average/AverageReturn"], np.mean(returns))
        played = {key.partition("/")[2] for key in recorded if key.startswith("near/")}
        absent = {key.partition("/")[2] for key in recorded if key.startswith("none/")}
        assert absent == (played if "none" in name_map.values() else set())
