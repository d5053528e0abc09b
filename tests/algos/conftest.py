import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    pass


@pytest.fixture
def env_spec():
    return EnvSpec(gymnasium.spaces.Box(-1.0, 1.0, (3,)), gymnasium.spaces.Discrete(2))


@pytest.fixture
def make_episodes(env_spec):
    """Return a function that makes a batch from one list of rewards for each episode."""

    def make(rewards, last_steps):
        lengths = [len(episode) for episode in rewards]
        steps = sum(lengths)
        types = []
        for length, last in zip(lengths, last_steps, strict=True):
            types += [StepType.FIRST, *[StepType.MID] * (length - 1)][:length]
            types[-1] = last
        rng = np.random.default_rng(1)
        return EpisodeBatch(
            env_spec=env_spec,
            episode_infos_by_episode={},
            observations=rng.uniform(-1, 1, (steps, 3)).astype(np.float32),
            last_observations=rng.uniform(-1, 1, (len(lengths), 3)).astype(np.float32),
            actions=rng.integers(2, size=steps),
            rewards=np.concatenate(rewards).astype(np.float64),
            env_infos={},
            agent_infos={},
            step_types=np.array(types, np.uint8),
            lengths=np.array(lengths),
        )

    return make
