import gymnasium
import numpy as np
import pytest

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec


@pytest.fixture(autouse=True)
def _seed_of_the_run():
    state = seeding.seed_state()
    seeding.restore_seed_state((0, 0))
    yield
    seeding.restore_seed_state(state)


@pytest.fixture
def discrete_spec():
    return EnvSpec(gymnasium.spaces.Box(-1.0, 1.0, (3,)), gymnasium.spaces.Discrete(4))


@pytest.fixture
def continuous_spec():
    return EnvSpec(gymnasium.spaces.Box(-1.0, 1.0, (3,)), gymnasium.spaces.Box(-1.0, 1.0, (2, 1)))


@pytest.fixture
def make_episodes(discrete_spec):
    """Return a function that makes a batch of random episodes of given lengths."""

    def make(*lengths):
        rng = np.random.default_rng(1)
        steps = sum(lengths)
        return EpisodeBatch(
            env_spec=discrete_spec,
            episode_infos_by_episode={},
            observations=rng.uniform(-1, 1, (steps, 3)).astype(np.float32),
            last_observations=rng.uniform(-1, 1, (len(lengths), 3)).astype(np.float32),
            actions=rng.integers(4, size=steps),
            rewards=rng.normal(size=steps),
            env_infos={},
            agent_infos={},
            step_types=np.full(steps, StepType.MID, np.uint8),
            lengths=np.array(lengths),
        )

    return make
