"""The promise for meta-learning: tasks, evaluators and what they play are part of a run."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments
import meta_experiments

from garage_like.sampler import LocalSampler, MultiprocessingSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer

N_EPOCHS = 4

QUICK = [("MAMLTRPO", "point"), ("PEARL", "point")]
REST = [
    ("PEARL", "cheetah"),
    ("MAMLVPG", "pool"),
    ("MAMLPPO", "point", "network"),
    ("MAMLTRPO", "cheetah"),
]


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(QUICK, id="quick"),
        pytest.param(REST, id="rest", marks=pytest.mark.slow),
    ],
)
def test_resumed_runs_equal_the_runs_that_never_stopped(cases, tmp_path):
    expected = experiments.check_resumes(cases, tmp_path, N_EPOCHS, (0, 1), meta_experiments.train)
    if cases is QUICK:
        paths = " ".join(expected["MAMLTRPO-point"]["state"])
        compared = ("_task_sampler._env._rng", "_meta_evaluator._sampler._workers[0]._rng")
        assert [part for part in compared if part not in paths] == []
        paths = " ".join(expected["PEARL-point"]["state"])
        compared = ("policy.z_means", "_contexts[0]", "_memories[2]._rng", "_target_vf.mlp")
        assert [part for part in compared if part not in paths] == []


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["MAMLVPG", "PEARL"])
def test_workers_in_processes_of_their_own_play_the_same(algorithm, tmp_path):
    weights = []
    for cls in (LocalSampler, MultiprocessingSampler):
        algo, env = meta_experiments.build(algorithm, "point")
        algo._sampler = cls(algo.policy, env)
        trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="none"))
        trainer.setup(algo, env)
        trainer.train(2, 20)
        weights.append(algo.policy.get_param_values())
    assert (weights[0] == weights[1]).all()


def test_tasks_without_transitions_are_played_anew(tmp_path):
    algo, env = meta_experiments.build("PEARL", "point")
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, include_buffer=False))
    trainer.setup(algo, env)
    trainer.train(1, 20)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.restore(tmp_path)
    restored = trainer.algo
    memories = [*restored._memories, *restored._contexts]
    assert [memory.n_transitions_stored for memory in memories] == [0] * 6
    trainer.resume(n_epochs=2)
    assert all(memory.n_transitions_stored for memory in memories)
    assert restored._gradient_steps == 6
