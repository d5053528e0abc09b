"""A study of fabricated runs, by the command and from Python."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from garage_like.cli import main
from garage_like.studies import find, read_scores, study

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from fabricated import fabricate_run

ALGOS = ("PPO", "SAC", "VPG")
ENVS = ("Acrobot-v1", "CartPole-v1", "Pendulum-v1")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder of three algorithms on three tasks with five seeds each."""
    root = tmp_path_factory.mktemp("runs")
    for algo in ALGOS:
        for env in ENVS:
            for seed in range(5):
                run = root / f"{algo}_{env}_{seed}"
                fabricate_run(run, algo=f"x.{algo}", env=env, seed=seed, n_epochs=12)
    return root


def call(*words):
    return CliRunner(env={"COLUMNS": "100"}).invoke(main, [str(word) for word in words])


def test_scores_are_means_of_the_last_rows(runs):
    scores = read_scores([runs], last=2, scales=dict.fromkeys(ENVS, (0.0, 100.0)))
    assert {name: matrix.shape for name, matrix in scores.methods.items()} == dict.fromkeys(
        ALGOS, (5, 3)
    )
    with open(runs / "SAC_CartPole-v1_3" / "progress.csv", newline="") as file:
        rows = [float(row["Evaluation/AverageReturn"]) for row in csv.DictReader(file)]
    assert scores.methods["SAC"][3, 1] == pytest.approx(np.mean(rows[-2:]) / 100)


def test_several_tasks_are_measured_by_their_worst_and_best(runs):
    scores = read_scores([runs])
    together = np.concatenate(list(scores.methods.values()))
    assert together.min(axis=0) == pytest.approx([0, 0, 0])
    assert together.max(axis=0) == pytest.approx([1, 1, 1])


def test_what_is_not_compared_with_like_is_left_out_and_told(runs, tmp_path):
    for env, seeds in (("CartPole-v1", 3), ("Acrobot-v1", 2)):
        for seed in range(seeds):
            fabricate_run(tmp_path / f"DQN_{env}_{seed}", algo="x.DQN", env=env, seed=seed)
    scores = read_scores([runs, tmp_path])
    assert scores.tasks == ["Acrobot-v1", "CartPole-v1"]
    assert all(matrix.shape == (2, 2) for matrix in scores.methods.values())
    assert scores.left_out == [
        "task Pendulum-v1: not all methods have it",
        "19 runs, so that there are 2 of each method on each task",
    ]


def test_people_are_told_how_sure_it_is(runs):
    said = call("study", runs, "--reps", 200)
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert lines[0] == "5 runs each on Acrobot-v1, CartPole-v1, Pendulum-v1"
    assert lines[1].split() == ["method", "mean", "IQM", "optimality", "gap"]
    assert [line.split()[0] for line in lines[2:5]] == list(ALGOS)
    assert sum(" > " in line for line in lines) == 3
    assert any(line.startswith("CartPole-v1: 0 to 1 stand for") for line in lines)
    assert lines[-1] == "95% intervals of a stratified bootstrap over seeds, seed 0"


def test_one_run_of_each_is_no_interval_of_seeds(tmp_path):
    fabricate_run(tmp_path / "a", algo="x.A")
    fabricate_run(tmp_path / "b", algo="x.B")
    said = call("study", tmp_path, "--reps", 50)
    assert said.stdout.endswith("There is one run of each: nothing is known of how seeds differ\n")


def test_programs_get_the_same_numbers(runs):
    options = ("--reps", 200, "--seed", 4, "--scale", "CartPole-v1=0..500")
    found = json.loads(call("study", runs, *options, "--json").stdout)
    ours = study(runs, reps=200, seed=4, scales={"CartPole-v1": (0.0, 500.0)})
    one = ours.aggregates()["PPO"]["IQM"]
    assert found["aggregates"]["PPO"]["IQM"] == {
        "value": float(one.value),
        "low": float(one.low),
        "high": float(one.high),
    }
    assert found["scales"]["CartPole-v1"] == [0.0, 500.0]
    assert len(found["profiles"]["taus"]) == len(found["profiles"]["SAC"]["high"])
    rows = list(csv.DictReader(io.StringIO(call("study", runs, *options, "--csv").stdout)))
    assert float(rows[1]["low"]) == float(one.low)
    assert len(rows) == 9 + 3


def test_a_single_task_needs_no_scale_and_has_no_gap(runs):
    only = [runs / f"{algo}_CartPole-v1_{seed}" for algo in ALGOS for seed in range(3)]
    found = study(*only, reps=50)
    assert list(found.aggregates()["PPO"]) == ["mean", "IQM"]
    assert found.aggregates()["PPO"]["mean"].value > 50
    assert "<th>PPO</th>" in found._repr_html_()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "lrr"], "no run has a column, parameter or metric 'lrr'; did you mean lr"),
        (["--metric", "Retrun"], "there are 'Evaluation/AverageReturn', 'TotalEnvSteps'"),
        (["--scale", "CartPole=0..1"], "no task is called 'CartPole'; there are Acrobot-v1"),
        (["--scale", "CartPole-v1=5..1"], "1 must stand for more than 0 does"),
        (["--scale", "CartPole-v1"], "expected TASK=LOW..HIGH"),
    ],
)
def test_what_cannot_be_is_told(runs, words, message):
    said = call("study", runs, *words)
    assert said.exit_code in (1, 2)
    assert message in " ".join(said.output.split())


def test_methods_without_a_task_in_common_are_refused(tmp_path):
    fabricate_run(tmp_path / "a", algo="x.A", env="One-v0")
    fabricate_run(tmp_path / "b", algo="x.B", env="Two-v0")
    assert "there is no task that all methods were trained on" in call("study", tmp_path).output


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_study_is_drawn(runs, tmp_path, ending):
    out = tmp_path / f"study.{ending}"
    said = call("study", runs, "--reps", 50, "--out", out)
    assert said.exit_code == 0, said.output
    assert out.stat().st_size > 10_000


def test_notebooks_show_runs_and_curves(runs):
    found = find(runs)
    assert len(found) == 45
    table = found.where("algo=PPO", "seed<2").sort("-return")._repr_html_()
    assert table.count("<tr>") == 1 + 6
    picture = found.where("env=CartPole-v1").curves(group="none")._repr_html_()
    assert picture.startswith("<svg")


def test_notebooks_do_not_obey_names(tmp_path):
    fabricate_run(tmp_path / "<img src=x onerror=alert(1)>", env="<script>", n_epochs=2)
    found = find(tmp_path)
    assert "<img" not in found._repr_html_() + found.curves(group="none")._repr_html_()
    assert "<script" not in study(tmp_path, by="env", task="algo", reps=5)._repr_html_()


def test_nothing_heavy_is_loaded(runs):
    code = f"""
import sys
from garage_like.studies import find
find({str(runs)!r})
print([name for name in ("torch", "tensorflow", "jax", "matplotlib") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
