"""OffPolicyAlgorithm: what is collected, when it learns, and what is recorded."""

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from garage_like.algos.off_policy import OffPolicyAlgorithm, finished_episodes
from garage_like.algos.uniform_random_policy import UniformRandomPolicy
from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.logging import RunLogs
from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer


class AlwaysOne(UniformRandomPolicy):
    """Take the action 1, so that warm-up can be told from what follows."""

    def act(self, observations: Any, rng: Any) -> tuple[np.ndarray, dict]:
        return np.ones((len(observations), 1), np.float32), {}


class Counting(OffPolicyAlgorithm):
    """Count gradient steps instead of taking them."""

    UPDATE_METRICS = ("Loss/Critic",)

    def __init__(self, env: GymEnv, buffer: PathBuffer | None = None, **options: Any) -> None:
        super().__init__(
            env.spec,
            AlwaysOne(env.spec),
            buffer or PathBuffer(1000),
            options.pop("sampler", None),
            **{"num_evaluation_episodes": 1, "max_episode_length_eval": 5, **options},
        )
        self.stored_at_update: list[int] = []
        self.batches_finished = 0

    def _update(self, transitions: Any) -> tuple[dict[str, float], np.ndarray]:
        self.stored_at_update.append(self.replay_buffer.n_transitions_stored)
        return {"Loss/Critic": float(self._gradient_steps)}, transitions["reward"]

    def _finish_itr(self) -> None:
        self.batches_finished += 1


@pytest.fixture
def env() -> GymEnv:
    set_seed(3)
    return GymEnv("Pendulum-v1", max_episode_length=25)


def train(algo: OffPolicyAlgorithm, env: GymEnv, n_epochs: int, batch_size: int = 10) -> float:
    trainer = Trainer()
    trainer.setup(algo, env)
    return trainer.train(n_epochs, batch_size)


def rows_of(algo: OffPolicyAlgorithm, env: GymEnv, run_dir: Path, n_epochs: int) -> list[dict]:
    logs = RunLogs(run_dir, existing=False, console=False)
    try:
        trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="none"))
        trainer.setup(algo, env)
        trainer.train(n_epochs, 10)
    finally:
        logs.close()
    with open(run_dir / "progress.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_is_learned_before_the_buffer_holds_enough(env):
    algo = Counting(env, min_buffer_size=25, gradient_steps_per_itr=2)
    train(algo, env, n_epochs=4)
    assert algo.stored_at_update == [30, 30, 40, 40]
    assert algo.batches_finished == 2


def test_actions_are_random_until_the_buffer_holds_enough(env):
    algo = Counting(env, min_buffer_size=25)
    train(algo, env, n_epochs=4)
    actions = algo.replay_buffer._table.column("action")[:, 0]
    assert (actions[:30] != 1).all()
    assert (actions[30:] == 1).all()


def test_epoch_is_so_many_batches(env):
    algo = Counting(env, min_buffer_size=1, steps_per_epoch=3, gradient_steps_per_itr=1)
    train(algo, env, n_epochs=2)
    assert algo.stored_at_update == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize(("rate", "expected"), [(1.0, 40), (0.25, 10), (0.33, 13), (2.0, 80)])
def test_gradient_steps_keep_pace_with_env_steps(env, rate, expected):
    algo = Counting(env, min_buffer_size=1, gradient_steps_per_env_step=rate)
    train(algo, env, n_epochs=4)
    assert len(algo.stored_at_update) == expected


def test_default_collector_goes_on_in_the_middle_of_an_episode(env):
    algo = Counting(env, min_buffer_size=1)
    train(algo, env, n_epochs=5)
    types = algo.replay_buffer._table.column("step_type").tolist()
    assert [i for i, t in enumerate(types) if t == StepType.TIMEOUT] == [24, 49]
    assert [i for i, t in enumerate(types) if t == StepType.FIRST] == [0, 25]
    assert algo.replay_buffer.n_paths_stored == 2


def test_given_sampler_is_used(env):
    algo = Counting(env, min_buffer_size=1)
    sampler = LocalSampler(algo.policy, env, worker_class=DefaultWorker)
    algo = Counting(env, min_buffer_size=1, sampler=sampler)
    train(algo, env, n_epochs=1)
    assert algo.replay_buffer.n_transitions_stored == sampler.total_env_steps == 25


def test_exploration_follows_the_env_steps(env):
    policy = AlwaysOne(env.spec)
    explorer = AddGaussianNoise(env.spec, policy, 100, 1.0, 0.0)
    algo = Counting(env, min_buffer_size=1, exploration_policy=explorer)
    assert explorer.sigma == 1.0
    train(algo, env, n_epochs=3)
    assert explorer.sigma == pytest.approx(0.7)


def test_priorities_follow_the_errors(env):
    buffer = PrioritizedReplayBuffer(1000)
    algo = Counting(env, buffer, min_buffer_size=1, buffer_batch_size=32)
    train(algo, env, n_epochs=3)
    assert len(set(buffer._priorities.weights.tolist())) > 5


def test_return_is_the_evaluations(env, capsys):
    algo = Counting(env, min_buffer_size=1)
    returned = train(algo, env, n_epochs=1)
    line = next(x for x in capsys.readouterr().out.splitlines() if "/AverageReturn" in x)
    assert float(line.split()[1]) == pytest.approx(returned, rel=1e-4)


def test_evaluation_leaves_training_as_it_was(tmp_path):
    rewards = []
    for episodes in (0, 3):
        set_seed(3)
        env = GymEnv("Pendulum-v1", max_episode_length=25)
        algo = Counting(env, min_buffer_size=20, num_evaluation_episodes=episodes)
        train(algo, env, n_epochs=4)
        rewards.append(algo.replay_buffer._table.column("reward").tolist())
    assert rewards[0] == rewards[1]


def test_without_evaluation_the_return_is_that_of_recent_episodes(env):
    algo = Counting(env, min_buffer_size=1, num_evaluation_episodes=0)
    assert math.isnan(train(algo, env, n_epochs=1))
    algo = Counting(env, min_buffer_size=1, num_evaluation_episodes=0)
    returned = train(algo, env, n_epochs=4)
    rewards = algo.replay_buffer._table.column("reward")
    assert returned == pytest.approx(rewards[:25].sum(), rel=1e-5)


def test_log_has_its_columns_from_the_first_epoch_on(env, tmp_path):
    algo = Counting(env, min_buffer_size=15, gradient_steps_per_itr=2)
    rows = rows_of(algo, env, tmp_path / "run", 3)
    assert [float(row["Loss/Critic"]) for row in rows[1:]] == [0.5, 2.5]
    assert rows[0]["Loss/Critic"] in ("nan", "")
    assert [row["ReplayBuffer/Size"] for row in rows] == ["10", "20", "30"]
    assert [row["Learning/GradientSteps"] for row in rows] == ["0", "2", "4"]
    for key in ("Evaluation/AverageReturn", "Extras/EpisodeRewardMean", "TotalEnvSteps"):
        assert key in rows[0]


def test_whole_return_of_an_episode_in_fragments_is_counted_once(env):
    sampler = LocalSampler(
        AlwaysOne(env.spec), env, worker_class=FragmentWorker, worker_args={"n_envs": 2}
    )
    batches = [sampler.obtain_samples(0, 20) for _ in range(5)]
    finished = [episode for batch in batches for episode in finished_episodes(batch)]
    assert [length for _, length in finished] == [25, 25, 25, 25]
    total = sum(batch.rewards.sum() for batch in batches)
    assert sum(earned for earned, _ in finished) == pytest.approx(total)


def test_whole_episodes_are_counted_too(env):
    sampler = LocalSampler(AlwaysOne(env.spec), env, worker_class=DefaultWorker)
    batch = sampler.obtain_samples(0, 30)
    assert finished_episodes(batch) == [
        (pytest.approx(batch.rewards[:25].sum()), 25),
        (pytest.approx(batch.rewards[25:].sum()), 25),
    ]


def test_recent_episodes_are_bounded(env):
    algo = Counting(env, min_buffer_size=1)
    for _ in range(30):
        algo._recent.extend([(1.0, 2)] * 10)
    assert len(algo._recent) == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"discount": 1.5}, r"discount must be in \[0, 1\], got 1.5"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be at least 1, got 0"),
        ({"buffer_batch_size": 0}, "buffer_batch_size must be at least 1, got 0"),
        ({"min_buffer_size": 0}, "min_buffer_size must be at least 1, got 0"),
        ({"min_buffer_size": 1001}, "is never reached in a buffer with room for 1000"),
        ({"gradient_steps_per_itr": -1}, "gradient_steps_per_itr must be 0 or more"),
        ({"gradient_steps_per_env_step": -1.0}, "gradient_steps_per_env_step must be 0 or more"),
        ({"num_evaluation_episodes": -1}, "num_evaluation_episodes must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(env, options, message):
    with pytest.raises(ValueError, match=message):
        Counting(env, **{"min_buffer_size": 10, **options})


def test_replay_buffer_must_be_one(env):
    with pytest.raises(TypeError, match="replay_buffer must be a PathBuffer"):
        Counting(env, buffer=[1])
