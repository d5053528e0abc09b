"""HERReplayBuffer: goals are replaced by what the same episode reached later."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv
from garage_like.replay_buffer import HERReplayBuffer

GOAL = spaces.Box(-np.inf, np.inf, (1,), np.float32)
SPACE = spaces.Dict({"observation": GOAL, "achieved_goal": GOAL, "desired_goal": GOAL})
SPEC = EnvSpec(SPACE, spaces.Discrete(2))
FLAT = EnvSpec(spaces.flatten_space(SPACE), spaces.Discrete(2))
OWN_GOAL = -7.0


def reached(achieved, desired, infos):
    return (achieved[:, 0] == desired[:, 0]) - 1.0


def episode(first: int, length: int) -> EpisodeBatch:
    """Make an episode that achieves `first`, `first` + 1, ... and was told to reach -7."""
    numbers = np.arange(first, first + length + 1, dtype=np.float32)
    # Flattened in the order of the keys: achieved_goal, desired_goal, observation.
    observations = np.stack([numbers, np.full_like(numbers, OWN_GOAL), numbers], axis=1)
    return EpisodeBatch(
        env_spec=FLAT,
        episode_infos_by_episode={},
        observations=observations[:-1],
        last_observations=observations[-1:],
        actions=np.zeros(length, np.int64),
        rewards=np.full(length, -5.0),
        env_infos={},
        agent_infos={},
        step_types=np.array([StepType.FIRST, *[StepType.MID] * (length - 2), StepType.TIMEOUT]),
        lengths=np.array([length]),
    )


def drawn(buffer: HERReplayBuffer, count: int = 4000) -> dict[str, np.ndarray]:
    return buffer.sample_transitions(count)


def test_goals_are_reached_later_in_the_same_episode():
    buffer = HERReplayBuffer(4, reached, 12, SPEC)
    for first in (100, 200, 300):
        buffer.add_episode_batch(episode(first, 5))
    transitions = drawn(buffer)
    goals, now = transitions["next_observation"][:, 1], transitions["next_observation"][:, 0]
    replaced = goals != OWN_GOAL
    assert (goals[replaced] // 100 == now[replaced] // 100).all()
    assert (goals[replaced] >= now[replaced]).all()
    last_of_episode = now[replaced] // 100 * 100 + 5
    assert (goals[replaced] <= last_of_episode).all()
    assert set((goals - now)[replaced].tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_share_of_replaced_goals_is_k_of_k_plus_one():
    buffer = HERReplayBuffer(3, reached, 50, SPEC)
    buffer.add_episode_batch(episode(100, 20))
    share = (drawn(buffer)["observation"][:, 1] != OWN_GOAL).mean()
    assert share == pytest.approx(0.75, abs=0.03)


def test_rewards_are_those_of_the_new_goal():
    buffer = HERReplayBuffer(1, reached, 50, SPEC)
    buffer.add_episode_batch(episode(100, 5))
    transitions = drawn(buffer)
    goals, now = transitions["next_observation"][:, 1], transitions["next_observation"][:, 0]
    replaced = goals != OWN_GOAL
    assert (transitions["reward"][~replaced] == -5.0).all()
    assert np.array_equal(transitions["reward"][replaced], np.where(goals == now, 0, -1)[replaced])


def test_both_observations_get_the_same_goal_and_nothing_else_changes():
    buffer = HERReplayBuffer(1, reached, 50, SPEC)
    buffer.add_episode_batch(episode(100, 5))
    transitions = drawn(buffer)
    before, after = transitions["observation"], transitions["next_observation"]
    assert np.array_equal(before[:, 1], after[:, 1])
    assert np.array_equal(before[:, 0], before[:, 2])
    assert np.array_equal(after[:, 0], before[:, 0] + 1)


def test_stored_rows_keep_their_own_goal():
    buffer = HERReplayBuffer(4, reached, 50, SPEC)
    buffer.add_episode_batch(episode(100, 5))
    drawn(buffer)
    assert (buffer._table.column("observation")[:, 1] == OWN_GOAL).all()


def test_k_zero_replaces_nothing():
    buffer = HERReplayBuffer(0, reached, 50, SPEC)
    buffer.add_episode_batch(episode(100, 5))
    assert (drawn(buffer)["observation"][:, 1] == OWN_GOAL).all()


def test_pickled_buffer_goes_on_alike():
    buffer = HERReplayBuffer(2, reached, 8, SPEC)
    buffer.add_episode_batch(episode(100, 5))
    buffer.add_episode_batch(episode(200, 5))
    copy = pickle.loads(pickle.dumps(buffer))
    ours, theirs = drawn(buffer, 50), drawn(copy, 50)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_observations_must_have_goals():
    with pytest.raises(ValueError, match="must be a Dict with observation, achieved_goal"):
        HERReplayBuffer(4, reached, 50, FLAT)


def test_k_must_not_be_negative():
    with pytest.raises(ValueError, match="replay_k must be 0 or more, got -1"):
        HERReplayBuffer(-1, reached, 50, SPEC)


def test_reward_function_must_be_callable():
    with pytest.raises(TypeError, match="reward_fn must be a function"):
        HERReplayBuffer(4, None, 50, SPEC)


def total(achieved, desired, infos):
    return 0.0


def test_reward_function_must_return_one_reward_for_each():
    buffer = HERReplayBuffer(4, total, 50, SPEC)
    buffer.add_episode_batch(episode(100, 5))
    with pytest.raises(ValueError, match="must return one reward for each"):
        drawn(buffer)


class Goals(gymnasium.Env):
    """Has goals, and computes rewards from them, as gymnasium's goal environments do."""

    observation_space, action_space = SPACE, spaces.Discrete(2)

    def compute_reward(self, achieved_goal, desired_goal, info):
        return reached(achieved_goal, desired_goal, info)


def test_an_environment_that_gym_env_flattens_is_taken_as_in_garage():
    env = GymEnv(Goals(), max_episode_length=9)
    assert env.spec == EnvSpec(FLAT.observation_space, env.action_space, 9)
    buffer = HERReplayBuffer(
        replay_k=4, reward_fn=env.compute_reward, capacity_in_transitions=20, env_spec=env.spec
    )
    buffer.add_episode_batch(episode(0, 5))
    rewards = pickle.loads(pickle.dumps(buffer)).sample_transitions(100)["reward"]
    assert set(rewards.tolist()) <= {-5.0, -1.0, 0.0}
    assert 0.0 in rewards
