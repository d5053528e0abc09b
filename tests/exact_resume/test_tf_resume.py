"""The promise, in TensorFlow: a resume in the middle of n epochs equals n epochs straight."""

import sys
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import tf_experiments
from experiments import check_resumes, differences, in_fresh_process

N_EPOCHS = 3
MIDDLE = 1
COMPARED = ("policy.mlp.layers[0]", "first_moments[0]", "step_count", "_value_function.mlp")

MATRIX = [
    *product(("vpg", "ppo", "trpo", "tnpg", "npo"), ("categorical", "gaussian", "cnn")),
    ("graph_mode", "categorical"),
    ("both_backends", "categorical"),
]
QUICK = {("ppo", "gaussian"), ("graph_mode", "categorical")}


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(sorted(QUICK), id="quick"),
        pytest.param(sorted(set(MATRIX) - QUICK), id="rest", marks=pytest.mark.slow),
    ],
)
def test_resumed_runs_equal_the_runs_that_never_stopped(cases, tmp_path):
    trained, resumed = tf_experiments.train, tf_experiments.resume
    expected = check_resumes(
        cases, tmp_path, N_EPOCHS, (MIDDLE, MIDDLE), trained, resumed, tf_experiments.__file__
    )
    if cases == sorted(QUICK):
        paths = " ".join(expected["ppo-gaussian"]["state"])
        assert [part for part in COMPARED if part not in paths] == []


@pytest.mark.slow
def test_operations_that_must_be_deterministic_change_nothing(tmp_path):
    cases = [("ppo", "gaussian"), ("trpo", "categorical"), ("ppo", "cnn")]
    script = tf_experiments.__file__
    dirs = [tmp_path / "-".join(case) for case in cases]
    starts = [[str(d), list(case), N_EPOCHS] for d, case in zip(dirs, cases, strict=True)]
    straight = in_fresh_process(starts, tmp_path, "--deterministic", script=script)
    resumes = [[str(run_dir), MIDDLE, N_EPOCHS] for run_dir in dirs]
    resumed = in_fresh_process(resumes, tmp_path, "--deterministic", script=script)
    found = [differences(*pair)[:8] for pair in zip(straight, resumed, strict=True)]
    assert found == [[]] * len(cases)
    assert "The resume is exact" in (dirs[0] / "debug.log").read_text()
