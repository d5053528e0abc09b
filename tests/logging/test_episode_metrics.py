"""What a row says of the episodes collected since the row before."""

import math

import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.logging import track_episodes, tracked

MID, TERMINAL, TIMEOUT = StepType.MID, StepType.TERMINAL, StepType.TIMEOUT


@pytest.fixture(autouse=True)
def _nothing_tracked():
    tracked.take()
    yield
    tracked.take()


def batch(rewards, last_types, infos=None):
    lengths = [len(episode) for episode in rewards]
    steps = sum(lengths)
    types = np.full(steps, MID, np.uint8)
    types[np.cumsum(lengths) - 1] = last_types
    return EpisodeBatch(
        env_spec=EnvSpec(gymnasium.spaces.Box(-1.0, 1.0, (1,)), gymnasium.spaces.Discrete(2)),
        episode_infos_by_episode=infos or {},
        observations=np.zeros((steps, 1)),
        last_observations=np.zeros((len(lengths), 1)),
        actions=np.zeros(steps, np.int64),
        rewards=np.concatenate(rewards).astype(np.float64),
        env_infos={},
        agent_infos={},
        step_types=types,
        lengths=np.array(lengths),
    )


def test_rewards_returns_and_lengths_of_several_batches():
    track_episodes(batch([[1.0, 2.0], [5.0]], [TERMINAL, TIMEOUT]))
    track_episodes(batch([[-4.0, 0.0, 0.0, 2.0]], [TERMINAL]))
    assert tracked.take() == {
        "Reward/Instantaneous reward (max)": 5.0,
        "Reward/Instantaneous reward (min)": -4.0,
        "Reward/Instantaneous reward (mean)": 6.0 / 7.0,
        "Reward/Total reward (max)": 5.0,
        "Reward/Total reward (min)": -2.0,
        "Reward/Total reward (mean)": 2.0,
        "Episode/Total timesteps (max)": 4.0,
        "Episode/Total timesteps (min)": 1.0,
        "Episode/Total timesteps (mean)": 7.0 / 3.0,
    }


def test_an_episode_in_fragments_counts_whole_when_it_ends():
    infos = {"EpisodeReturn": np.array([7.5, 3.0]), "EpisodeLength": np.array([30, 4])}
    track_episodes(batch([[1.0], [3.0]], [TERMINAL, MID], infos))
    row = tracked.take()
    assert row["Reward/Total reward (mean)"] == 7.5
    assert row["Episode/Total timesteps (mean)"] == 30.0
    assert row["Reward/Instantaneous reward (mean)"] == 2.0


def test_while_no_episode_has_ended_there_is_a_column_all_the_same():
    track_episodes(batch([[1.0]], [MID]))
    assert math.isnan(tracked.take()["Episode/Total timesteps (max)"])
    for last in (MID, TERMINAL):
        track_episodes(batch([[1.0]], [last]))
    assert tracked.take()["Episode/Total timesteps (max)"] == 1.0
