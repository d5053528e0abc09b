"""Minari datasets, made here and read back."""

from importlib.util import find_spec

import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import StepType
from garage_like.replay_buffer import PathBuffer, episodes_from_minari

# Minari tells of what a dataset could say about its author, its code and its scores.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:minari"),
    pytest.mark.skipif(find_spec("minari") is None, reason="needs the extra 'minari'"),
]


class Goals(gymnasium.ObservationWrapper):
    """Observe a Dict."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Dict(
            {"observation": env.observation_space, "goal": gymnasium.spaces.Box(-1, 1, (2,))}
        )

    def observation(self, observation):
        return {"observation": observation, "goal": np.array([0.5, -0.5], np.float32)}


def play_episode(env: gymnasium.Env, seed: int):
    observation, _ = env.reset(seed=seed)
    observations, steps = [observation], []
    over = False
    while not over:
        action = env.action_space.sample()
        observation, reward, terminated, truncated, _ = env.step(action)
        observations.append(observation)
        steps.append((action, float(reward), terminated, truncated))
        over = terminated or truncated
    actions, rewards, terminations, truncations = map(list, zip(*steps, strict=True))
    if isinstance(observation, dict):
        observations = {key: [o[key] for o in observations] for key in observation}
    from minari.data_collector import EpisodeBuffer

    return EpisodeBuffer(
        id=seed,
        observations=observations,
        actions=actions,
        rewards=rewards,
        terminations=terminations,
        truncations=truncations,
        infos={},
    )


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Return a function that plays an environment at random and keeps what happens."""
    import minari

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))

    def play(env: gymnasium.Env, episodes: int):
        env.action_space.seed(1)
        return minari.create_dataset_from_buffers(
            "test/random-v0",
            [play_episode(env, seed) for seed in range(episodes)],
            env=env,
            algorithm_name="random",
            author="none",
            author_email="none",
            code_permalink="none",
            description="none",
        )

    return play


def test_steps_are_those_of_the_record(record):
    dataset = record(gymnasium.make("CartPole-v1"), 3)
    batch = episodes_from_minari(dataset)
    recorded = list(dataset.iterate_episodes())
    assert batch.lengths.tolist() == [len(episode) for episode in recorded]
    for part, episode in zip(batch.split(), recorded, strict=True):
        assert np.array_equal(part.observations, episode.observations[:-1])
        assert np.array_equal(part.last_observations[0], episode.observations[-1])
        assert np.array_equal(part.actions, episode.actions)
        assert np.array_equal(part.rewards, episode.rewards)
    assert (batch.last_step_types == StepType.TERMINAL).all()
    assert (batch.step_types[batch.ends - batch.lengths] == StepType.FIRST).all()


def test_truncation_is_a_timeout(record):
    batch = episodes_from_minari(record(gymnasium.make("Pendulum-v1", max_episode_steps=7), 2))
    assert batch.lengths.tolist() == [7, 7]
    assert (batch.last_step_types == StepType.TIMEOUT).all()


def test_dict_observations_are_flattened(record):
    batch = episodes_from_minari(record(Goals(gymnasium.make("CartPole-v1")), 2))
    assert batch.observations.shape[1:] == batch.env_spec.observation_space.shape == (6,)
    assert (batch.observations[:, :2] == [0.5, -0.5]).all()


def test_record_goes_into_memory(record):
    batch = episodes_from_minari(record(gymnasium.make("CartPole-v1"), 3), max_episodes=2)
    buffer = PathBuffer(500)
    buffer.add_episode_batch(batch)
    assert buffer.n_paths_stored == 2
    assert buffer.n_transitions_stored == batch.lengths.sum()


def test_empty_record_is_refused(record):
    dataset = record(gymnasium.make("CartPole-v1"), 1)
    with pytest.raises(ValueError, match="there is no episode"):
        episodes_from_minari(dataset, max_episodes=0)
