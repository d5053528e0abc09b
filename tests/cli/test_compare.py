"""Runs side by side, and what Tab knows of them."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from garage_like.cli import main

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from fabricated import fabricate, fabricate_run


@pytest.fixture
def few(tmp_path: Path) -> Path:
    for seed, lr in ((1, 1e-3), (2, 1e-3), (3, 3e-4)):
        fabricate_run(tmp_path / "runs" / f"ppo_{seed}", seed=seed, lr=lr, n_epochs=4)
    return tmp_path / "runs"


def test_what_differs_is_shown_and_what_is_the_same_is_not(call, few: Path) -> None:
    lines = [line.split() for line in call("compare", few).output.splitlines()]
    assert lines[0] == ["ppo_1", "ppo_2", "ppo_3"]
    assert ["seed", "1", "2", "3"] in lines
    assert ["algo.lr", "0.001", "0.001", "0.0003"] in lines
    assert {line[0] for line in lines[1:]} == {"seed", "lr", "algo.lr", "epochs", "steps", "return"}


def test_many_runs_are_a_line_each(call, tmp_path: Path) -> None:
    fabricate(tmp_path / "runs", 8, n_epochs=2)
    lines = call("compare", tmp_path / "runs", "--metrics", "policy/Entropy").output.splitlines()
    assert sum("PPO" in line or "VPG" in line for line in lines) == 8
    assert lines[0].split()[-1] == "policy/Entropy"


def test_programs_get_all_of_it(call, call_json, few: Path) -> None:
    found = call_json("compare", few / "ppo_1", few / "ppo_3")
    assert found["differing"] == ["seed", "lr", "algo.lr"]
    assert found["same"]["algo.discount"] == 0.99
    assert [values["lr"] for values in found["values"]] == [1e-3, 3e-4]
    rows = list(csv.DictReader(io.StringIO(call("compare", few, "--csv").output)))
    assert [row["seed"] for row in rows] == ["1", "2", "3"]


def test_a_metric_that_no_run_has_is_told(call, few: Path) -> None:
    result = call("compare", few, "--metrics", "policy/Entropie")
    assert result.exit_code == 1
    assert "did you mean policy/Entropy" in result.output


def test_groups_are_csv_too(call, few: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call("ls", few, "--group", "--csv").output)))
    assert [row["count"] for row in rows] == ["2", "1"]
    assert float(rows[0]["return_std"]) > 0
    assert float(rows[1]["return_std"]) == 0


def completed(*words: str) -> list[str]:
    *before, last = words
    found = ShellComplete(main, {}, "garage-like", "_X").get_completions(before, last)
    return [item.value for item in found]


def test_tab_knows_runs(few: Path, monkeypatch) -> None:
    monkeypatch.chdir(few.parent)
    assert completed("show", "ru") == ["runs/ppo_1", "runs/ppo_2", "runs/ppo_3"]
    assert completed("compare", "runs/ppo_1", "runs/ppo_3") == ["runs/ppo_3"]
    assert completed("tag", str(few / "ppo_2")) == [str(few / "ppo_2")]
    assert completed("show", "nothing/here") == []


def test_tab_knows_runs_of_the_usual_folder(tmp_path: Path, monkeypatch) -> None:
    fabricate_run(tmp_path / "data/local/experiment/ppo", n_epochs=2)
    monkeypatch.chdir(tmp_path)
    assert completed("resume", "") == ["data/local/experiment/ppo"]


def test_tab_knows_epochs(few: Path) -> None:
    assert completed("pin", str(few / "ppo_1"), "") == ["first", "last", "best", "3"]
    assert completed("branch", str(few / "ppo_1"), "--from-epoch", "3") == ["3"]


def test_tab_knows_columns(few: Path) -> None:
    assert completed("ls", str(few), "--columns", "lr,policy/") == ["lr,policy/Entropy"]
    assert completed("ls", str(few), "--sort", "ret") == ["return"]
    assert completed("plot", str(few), "--y", "Eval") == ["Evaluation/AverageReturn"]
    assert completed("ls", str(few), "--where", "lr>1e") == []


def test_truth_values_and_nan_are_found_however_they_are_written(call_json, tmp_path: Path) -> None:
    for number, flag in enumerate((True, False, None)):
        run = fabricate_run(tmp_path / f"run_{number}", n_epochs=1)
        parameters = {"flag": flag, "rate": "nan" if flag else 1.0}
        (run / "variant.json").write_text(json.dumps(parameters))

    def found(condition: str) -> list[str]:
        return [Path(run["run"]).name for run in call_json("ls", tmp_path, "--where", condition)]

    for word in ("true", "True", "yes", "1"):
        assert found(f"flag={word}") == ["run_0"]
    assert found("flag=no") == found("flag=false") == ["run_1"]
    assert found("flag!=true") == ["run_1", "run_2"]
    assert found("rate=nan") == ["run_0"]


def test_an_order_wants_a_number(call, few: Path) -> None:
    result = call("ls", few, "--where", "lr>fast")
    assert result.exit_code == 1
    assert "'lr>fast': expected a number after >, got 'fast'" in result.output
