"""What holds for every test."""

import contextlib
import os

import gymnasium
import numpy as np
import pytest

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.snapshot import SnapshotConfig

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


class UntilLearned(RLAlgorithm):
    """Train another algorithm until its average return is good enough; return those of epochs."""

    def __init__(self, algo, enough, average):
        self.policy, self._algo, self._enough, self._average = algo.policy, algo, enough, average

    @property
    def _sampler(self):
        return self._algo.sampler

    def train(self, trainer):
        seen = []
        for _ in trainer.step_epochs():
            seen.append(self._average(self._algo.train_epoch(trainer)))
            if seen[-1] >= self._enough:
                break
        return seen


@pytest.fixture
def learn(tmp_path):
    """Return a function that trains until it is enough, and returns each epoch's average return."""

    def train(algo, env, enough, n_epochs, batch_size, average=lambda of_epoch: of_epoch):
        from garage_like.trainer import TFTrainer, Trainer

        in_tf = type(algo).__module__.startswith("garage_like.tf.")
        config = SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="none")
        trainer = TFTrainer(config) if in_tf else Trainer(config)
        with trainer if in_tf else contextlib.nullcontext():
            trainer.setup(UntilLearned(algo, enough, average), env)
            return trainer.train(n_epochs, batch_size)

    return train


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
