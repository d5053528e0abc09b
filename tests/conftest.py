"""What holds for every test."""

import os

import gymnasium
import numpy as np
import pytest

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.logging import tabular

os.environ.setdefault("GARAGE_LIKE_TRY_RESTORE", "0")  # but for the tests of trials themselves


def pytest_collection_modifyitems(items):
    """Run what users do first."""
    items.sort(key=lambda item: "as_a_user" not in item.path.parts)


@pytest.fixture
def seed_of_the_run():
    """Start a test from one seed, and leave the process's own as it was."""
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
def make_episodes():
    """Return a function that makes a batch of random episodes of given lengths."""

    def make(env_spec, *lengths, seed=1):
        rng = np.random.default_rng(seed)
        steps = sum(lengths)
        types = np.full(steps, StepType.MID, np.uint8)
        types[np.cumsum(lengths) - 1] = rng.integers(StepType.TERMINAL, 4, size=len(lengths))
        shape = (steps, *env_spec.observation_space.shape)
        actions = rng.normal(size=(steps, *env_spec.action_space.shape)).astype(np.float32)
        return EpisodeBatch(
            env_spec=env_spec,
            episode_infos_by_episode={},
            observations=rng.uniform(-1, 1, shape).astype(np.float32),
            last_observations=rng.uniform(-1, 1, (len(lengths), *shape[1:])).astype(np.float32),
            actions=rng.integers(4, size=steps) if env_spec.is_discrete else actions,
            rewards=rng.normal(size=steps),
            env_infos={},
            agent_infos={},
            step_types=types,
            lengths=np.array(lengths),
        )

    return make


@pytest.fixture
def row():
    """Return a function that takes what has been recorded since."""
    tabular.mark_all()
    tabular.clear()

    def take():
        recorded = dict(tabular.as_primitive_dict)
        tabular.mark_all()
        tabular.clear()
        return recorded

    yield take
    take()
