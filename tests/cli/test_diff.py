import json
import shutil
from pathlib import Path


def test_runs_that_agree_exit_with_0(call, finished: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "copy")
    done = call("diff", finished, copy)
    assert done.exit_code == 0, done.output
    assert done.stdout == "Equal, bit for bit: 6 rows and 6 snapshots compared\n"


def test_killed_run_agrees_as_far_as_it_came(call, finished: Path, killed: Path) -> None:
    assert call("diff", finished, killed).stdout.startswith("Equal, bit for bit: 3 rows and 3")


def change(run: Path) -> None:
    """Change a parameter, and a number of the log's third row."""
    (run / "variant.json").write_text(json.dumps({"n_epochs": 7}))
    lines = (run / "progress.csv").read_text().splitlines()
    column = lines[0].split(",").index("Evaluation/AverageReturn")
    cells = lines[3].split(",")
    cells[column] = "-1.5"
    lines[3] = ",".join(cells)
    (run / "progress.csv").write_text("\n".join(lines) + "\n")


def test_what_differs_is_shown_and_exits_with_1(call, finished: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(finished, tmp_path / "other"))
    change(other)
    done = call("diff", finished, other)
    assert done.exit_code == 1
    assert "Parameters\n          a  b\nn_epochs  6  7\n" in done.stdout.replace(" \n", "\n")
    assert "2  Evaluation/AverageReturn  " in done.stdout
    assert done.stdout.endswith("They part in epoch 2, first in column Evaluation/AverageReturn\n")


def test_snapshots_of_two_epochs_differ(call, finished: Path) -> None:
    done = call("diff", finished / "snapshots/epoch_000001", finished / "snapshots/epoch_000003")
    assert done.exit_code == 1
    assert "generator  algo.rng" in done.stdout


def test_json_holds_the_same(call, finished: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(finished, tmp_path / "other"))
    change(other)
    done = call("diff", finished, other, "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert found["parameters"] == [{"name": "n_epochs", "a": 6, "b": 7}]
    assert found["metrics"][0]["epoch"] == 2
    assert not found["equal"]


def test_nothing_to_compare_exits_with_2_in_one_line(call, finished: Path, tmp_path: Path) -> None:
    done = call("diff", finished, tmp_path / "nope")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {tmp_path / 'nope'}: no such directory")
    assert done.stderr.count("\n") == 1
