"""The promise, in TensorFlow: a resume in the middle of n epochs equals n epochs straight."""

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

N_EPOCHS = 3
MIDDLE = 1
COMPARED = ("policy.mlp.layers[0]", "first_moments[0]", "step_count", "_value_function.mlp")

MATRIX = [
    *product(("vpg", "ppo", "trpo", "tnpg", "npo"), ("categorical", "gaussian", "cnn")),
    ("graph_mode", "categorical"),
    ("both_backends", "categorical"),
]
QUICK = {("ppo", "gaussian"), ("graph_mode", "categorical")}


def case_id(case: tuple[str, str]) -> str:
    return "-".join(case)


def differences(ours: dict, theirs: dict) -> list[str]:
    """Say where two outcomes differ: state by path, table by row and column."""
    found = [
        f"{path}: {ours['state'].get(path)} != {theirs['state'].get(path)}"
        for path in sorted({*ours["state"], *theirs["state"]})
        if ours["state"].get(path) != theirs["state"].get(path)
    ]
    if ours["rows"] != theirs["rows"]:
        found.append(f"progress.csv: {ours['rows']} != {theirs['rows']}")
    return found


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(sorted(QUICK), id="quick"),
        pytest.param(sorted(set(MATRIX) - QUICK), id="rest", marks=pytest.mark.slow),
    ],
)
def test_resumed_runs_equal_the_runs_that_never_stopped(cases, tmp_path):
    found, expected, jobs = {}, {}, []
    for case in cases:
        name = case_id(case)
        straight = expected[name] = tf_experiments.train(tmp_path / name, case, N_EPOCHS)
        assert len(straight["rows"]) == N_EPOCHS
        for copy in ("here", "fresh"):
            shutil.copytree(tmp_path / name, tmp_path / f"{name}_{copy}")
        jobs.append([str(tmp_path / f"{name}_fresh"), MIDDLE, N_EPOCHS])
        resumed = tf_experiments.resume(tmp_path / f"{name}_here", MIDDLE, N_EPOCHS)
        found[f"{name}, same process"] = differences(straight, resumed)[:8]
    outcomes = in_fresh_process(jobs, tmp_path)
    for (name, straight), resumed in zip(expected.items(), outcomes, strict=True):
        found[f"{name}, fresh process"] = differences(straight, resumed)[:8]
    assert found == {name: [] for name in found}
    if cases == sorted(QUICK):
        paths = " ".join(expected["ppo-gaussian"]["state"])
        assert [part for part in COMPARED if part not in paths] == []


@pytest.mark.slow
def test_operations_that_must_be_deterministic_change_nothing(tmp_path):
    cases = [("ppo", "gaussian"), ("trpo", "categorical"), ("ppo", "cnn")]
    dirs = [tmp_path / case_id(case) for case in cases]
    starts = [[str(d), list(case), N_EPOCHS] for d, case in zip(dirs, cases, strict=True)]
    straight = in_fresh_process(starts, tmp_path, "--deterministic")
    resumes = [[str(run_dir), MIDDLE, N_EPOCHS] for run_dir in dirs]
    resumed = in_fresh_process(resumes, tmp_path, "--deterministic")
    found = [differences(*pair)[:8] for pair in zip(straight, resumed, strict=True)]
    assert found == [[]] * len(cases)
    assert "The resume is exact" in (dirs[0] / "debug.log").read_text()


def in_fresh_process(jobs: list, tmp_path: Path, *options: str) -> list[dict]:
    """Run or resume in a process that has never seen what is resumed."""
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    files = [str(tmp_path / "jobs.json"), str(tmp_path / "o")]
    subprocess.run(
        [sys.executable, tf_experiments.__file__, *files, *options],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "random"},
    )
    return json.loads((tmp_path / "o").read_text())
