"""The promise, for algorithms with memory: k epochs and a resume to n equal n epochs straight.

Snapshots lie within warm-up (epoch 0), after it (1) and behind the replay memory's wrap (2).
"""

import shutil
import sys
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments
import off_policy_experiments
from experiments import differences

from garage_like.trainer import Trainer

N_EPOCHS = 4

MATRIX = [
    *product(("dqn", "ddpg", "td3", "sac", "sac_fixed", "tqc"), ("uniform", "prioritized", "her")),
    *product(("discrete_sac",), ("uniform", "prioritized", "her")),
    *product(("ddqn", "liquid_ddpg"), ("uniform",)),
    *product(("mtsac",), ("uniform", "prioritized")),
    *product(("sac",), ("half_cheetah",)),
    *product(("q_learning", "sarsa", "bc_record", "bc_expert"), ("none",)),
]
QUICK = {
    ("dqn", "prioritized"),
    ("ddpg", "uniform"),
    ("td3", "her"),
    ("sac", "prioritized"),
    ("sarsa", "none"),
    ("bc_expert", "none"),
}


def case_id(case: tuple[str, str]) -> str:
    return "-".join(case)


def params(*quick_first: tuple[str, str]) -> list:
    return [
        pytest.param(case, id=case_id(case), marks=() if case in QUICK else pytest.mark.slow)
        for case in quick_first
    ]


@pytest.mark.parametrize("case", params(*MATRIX))
def test_resumed_run_equals_the_run_that_never_stopped(case, tmp_path):
    straight = off_policy_experiments.train(tmp_path / "straight", case, N_EPOCHS)
    assert len(straight["rows"]) == N_EPOCHS
    off_policy_experiments.train(tmp_path / "stopped", case, 1)
    found = differences(straight, experiments.resume(tmp_path / "stopped", "last", N_EPOCHS))
    assert found[:8] == []
    for epoch in (1, 2):
        shutil.copytree(tmp_path / "straight", tmp_path / f"from_{epoch}")
        resumed = experiments.resume(tmp_path / f"from_{epoch}", epoch, N_EPOCHS)
        assert differences(straight, resumed)[:8] == []


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(sorted(QUICK), id="quick"),
        pytest.param(sorted(set(MATRIX) - QUICK), id="rest", marks=pytest.mark.slow),
    ],
)
def test_fresh_process_resumes_alike(cases, tmp_path):
    expected, jobs = {}, []
    for case in cases:
        run_dir = tmp_path / case_id(case)
        expected[case] = off_policy_experiments.train(run_dir, case, N_EPOCHS)
        for epoch in (0, 2):
            copy = tmp_path / f"{case_id(case)}_{epoch}"
            shutil.copytree(run_dir, copy)
            jobs.append((case, [str(copy), epoch, N_EPOCHS]))
    outcomes = experiments.in_fresh_process([job for _, job in jobs], tmp_path)
    assert {
        f"{case_id(case)} from {epoch}": differences(expected[case], outcome)[:8]
        for (case, (_, epoch, _)), outcome in zip(jobs, outcomes, strict=True)
    } == {f"{case_id(case)} from {epoch}": [] for case, (_, epoch, _) in jobs}


@pytest.fixture(scope="module")
def resumed_sac(tmp_path_factory) -> tuple[Trainer, list[dict]]:
    """Train SAC for two epochs, resume it for two more; return the trainer and the log's rows."""
    run_dir = tmp_path_factory.mktemp("runs") / "sac"
    off_policy_experiments.train(run_dir, ("sac", "uniform"), 2)
    rows = experiments.resume(run_dir, "last", N_EPOCHS)["rows"]
    trainer = Trainer()
    trainer.restore(run_dir)
    return trainer, rows


def test_temperature_still_moves_after_a_resume(resumed_sac):
    alphas = [float(row["Coefficient/Entropy"]) for row in resumed_sac[1]]
    assert len(set(alphas[1:])) == N_EPOCHS - 1


def test_learning_rate_schedule_goes_on_after_a_resume(resumed_sac):
    rates = [float(row["Learning/PolicyLearningRate"]) for row in resumed_sac[1]]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == N_EPOCHS


def test_target_networks_stay_apart_from_the_online_ones(resumed_sac):
    algo = resumed_sac[0]._algo
    online = dict(algo._qf1.named_parameters())
    for name, target in algo._target_qf1.named_parameters():
        assert target.data_ptr() != online[name].data_ptr()
        assert not target.requires_grad
    assert not (algo._target_qf1.mlp.output.weight == algo._qf1.mlp.output.weight).all()
    assert algo._targets._targets[0] is next(algo._target_qf1.parameters())
    assert algo._targets._originals[0] is next(algo._qf1.parameters())
    steps = algo._qf_optimizer.optimizer.param_groups[0]["params"]
    assert steps[0] is algo._targets._originals[0]


def test_replay_memory_has_wrapped(resumed_sac):
    buffer = resumed_sac[0]._algo.replay_buffer
    assert buffer.n_transitions_stored == buffer.capacity
    assert buffer._cursor == off_policy_experiments.ENV_STEPS % buffer.capacity
