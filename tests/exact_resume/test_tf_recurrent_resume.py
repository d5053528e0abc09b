"""The promise for recurrent policies, whose memory is part of a run, and for weighted regression.

FragmentWorkers leave episodes unfinished at each snapshot: they go on with the same memory.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import tf_experiments
import tf_recurrent_experiments
from experiments import check_resumes

N_EPOCHS = 3
MIDDLE = 1

QUICK = [
    ("vpg", "categorical_gru", "fragment"),
    ("reps", "categorical_mlp", "default"),
]
REST = [
    ("erwr", "categorical_mlp", "default"),
    ("rl2_ppo", "gaussian_gru", "rl2"),
    ("trpo", "categorical_gru", "default"),
    ("trpo", "categorical_lstm", "fragment"),
    ("ppo", "gaussian_lstm", "vec"),
    ("ppo", "gaussian_gru", "fragment"),
    ("tnpg", "gaussian_gru", "vec"),
    ("reps", "gaussian_mlp", "fragment"),
    ("erwr", "categorical_lstm", "vec"),
    ("rl2_trpo", "gaussian_lstm", "rl2"),
]


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(QUICK, id="quick"),
        pytest.param(REST, id="rest", marks=pytest.mark.slow),
    ],
)
def test_resumed_runs_equal_the_runs_that_never_stopped(cases, tmp_path):
    trained, resumed = tf_recurrent_experiments.train, tf_experiments.resume
    expected = check_resumes(
        cases, tmp_path, N_EPOCHS, (MIDDLE, MIDDLE), trained, resumed, tf_experiments.__file__
    )
    if cases is QUICK:
        paths = " ".join(expected["vpg-categorical_gru-fragment"]["state"])
        compared = ("_workers[1]._memory", "policy.cell.state_weights")
        assert [part for part in compared if part not in paths] == []
