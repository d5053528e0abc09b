import numpy as np
import pytest

from garage_like.data.batches import EpisodeBatch, StepType


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    pass


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
