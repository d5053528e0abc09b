"""The promise for replay memory and for users' own networks in TensorFlow.

Snapshots lie within warm-up (epoch 0), after it (1) and behind the replay memory's wrap (2).
"""

import json
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import tf_experiments
import tf_off_policy_experiments
from experiments import differences, in_fresh_process

N_EPOCHS = 3
MATRIX = [
    *product(("dqn", "ddpg", "td3"), ("uniform", "prioritized", "her")),
    *product(("reinforce",), ("keras", "module")),
]
QUICK = [
    ("dqn", "prioritized"),
    ("reinforce", "keras"),
]
REST = [case for case in MATRIX if case not in QUICK]
COMPARED = {
    "dqn-prioritized": ("target_qf.mlp.layers[0]", "_qf_optimizer.first_moments", "buffer"),
    "ddpg-uniform": ("_policy_optimizer.first_moments", "_qf_optimizer._velocities"),
    "reinforce-keras": (
        "moving_variance",
        "seed_generator.state",
        "_optimizer._momentums",
        "_optimizer._iterations",
    ),
    "reinforce-module": ("generator.state", "_trainable_variables[0]"),
}


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(QUICK, id="quick"),
        pytest.param(REST, id="rest", marks=pytest.mark.slow),
    ],
)
def test_resumed_runs_equal_the_runs_that_never_stopped(cases, tmp_path):
    found, expected, jobs = {}, {}, []
    for case in cases:
        name = "-".join(case)
        run_dir = tmp_path / name
        straight, resumed = tf_off_policy_experiments.train_and_resume(run_dir, case, N_EPOCHS)
        assert len(straight["rows"]) == N_EPOCHS
        found[f"{name}, same process"] = differences(straight, resumed)[:8]
        expected[name] = straight
        for epoch in (0, 1) if cases is REST else (1,):
            copy = tmp_path / f"{name}_{epoch}"
            shutil.copytree(run_dir, copy)
            jobs.append([str(copy), epoch, N_EPOCHS])
    outcomes = in_fresh_process(jobs, tmp_path, script=tf_experiments.__file__)
    for job, resumed in zip(jobs, outcomes, strict=True):
        name, _, epoch = Path(job[0]).name.rpartition("_")
        found[f"{name} from {epoch}"] = differences(expected[name], resumed)[:8]
    assert found == {name: [] for name in found}
    for name, parts in COMPARED.items():
        paths = " ".join(expected.get(name, {"state": parts})["state"])
        assert [part for part in parts if part not in paths] == []


@pytest.mark.slow
def test_deterministic_operations_change_nothing_about_it(tmp_path):
    (tmp_path / "cases.json").write_text(json.dumps(MATRIX))
    script = tf_off_policy_experiments.__file__
    subprocess.run(
        [sys.executable, script, *(tmp_path / name for name in ("cases.json", "", "out"))],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "random"},
    )
    outcomes = json.loads((tmp_path / "out").read_text())
    found = {
        "-".join(case): differences(*outcome)[:8]
        for case, outcome in zip(MATRIX, outcomes, strict=True)
    }
    assert found == {"-".join(case): [] for case in MATRIX}
    for case in MATRIX:
        manifest = tmp_path / "-".join(case) / "snapshots/epoch_000001/manifest.json"
        found = json.loads(manifest.read_text())
        assert found["fingerprint"]["tensorflow"]["op_determinism"]
        assert (found["exact"], found["reasons"]) == (True, [])
