import csv
import io
import json
import shutil
from pathlib import Path

import pytest


def test_lists_each_run_with_how_far_it_came(call, runs: Path) -> None:
    lines = call("ls", runs).output.splitlines()
    assert lines[0].split() == [
        "run", "algo", "env", "epochs", "steps", "return", "size", "age", "exact",
    ]  # fmt: skip
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert rows.keys() == {"finished", "killed"}
    assert rows["finished"][1:5] == ["HillClimbing", "-", "6/6", "12.3k"]
    assert rows["killed"][1:5] == ["HillClimbing", "-", "3/6", "6,144"]
    assert rows["killed"][-1] == "yes"


def test_finds_runs_at_any_depth_and_not_their_snapshots(call_json, runs: Path, tmp_path) -> None:
    deep = tmp_path / "a" / "b" / "run"
    shutil.copytree(runs / "finished", deep)
    (tmp_path / "notes").mkdir()
    assert [run["run"] for run in call_json("ls", tmp_path)] == [str(deep)]


def test_run_that_trained_last_is_at_the_bottom(call_json, runs: Path) -> None:
    names = [Path(run["run"]).name for run in call_json("ls", runs)]
    assert names == ["finished", "killed"]


def test_json_has_plain_numbers(call_json, runs: Path) -> None:
    killed = call_json("ls", runs)[1]
    assert (killed["last_epoch"], killed["n_epochs"], killed["total_env_steps"]) == (2, 6, 6144)
    assert killed["algorithm"] == "HillClimbing"
    assert killed["exact"] is True
    assert killed["last_return"] < 0
    assert killed["bytes"] > 1000


def test_long_names_fold_and_every_line_fits_eighty_columns(call, runs: Path, tmp_path) -> None:
    name = "ppo_learning_rate=0.0003_batch_size=2048_seed=1"
    shutil.copytree(runs / "finished", tmp_path / name)
    lines = call("ls", tmp_path).output.splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(line.split()[0] for line in lines[1:]) == name


def test_runs_are_grouped_by_folder_the_latest_folder_last(
    call, runs: Path, tmp_path, monkeypatch
) -> None:
    for name in ("late/killed", "early/finished", "late/finished"):
        shutil.copytree(runs / Path(name).name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for root in (tmp_path, ".", f"{tmp_path}/late/.."):
        lines = [line.split()[0] for line in call("ls", root).output.splitlines()]
        assert lines == ["run", "early/", "finished", "late/", "finished", "killed"]


def test_hard_links_count_once(call_json, finished: Path) -> None:
    before = call_json("ls", finished)[0]["bytes"]
    (finished / "twin").hardlink_to(finished / "progress.csv")
    assert call_json("ls", finished)[0]["bytes"] == before


def test_run_killed_before_its_first_snapshot_is_listed(call, finished: Path) -> None:
    shutil.rmtree(finished / "snapshots")
    shown = call("ls", finished).output.splitlines()[1].split()[1:5]
    assert shown == ["HillClimbing", "-", "-", "-"]


def test_run_killed_before_training_began_is_listed(call, finished: Path) -> None:
    shutil.rmtree(finished / "snapshots")
    (finished / "configuration.json").unlink()
    assert call("ls", finished).output.splitlines()[1].split()[1:5] == ["-", "-", "-", "-"]


def test_damaged_manifest_is_reported_and_the_one_before_is_shown(call, finished: Path) -> None:
    manifest = finished / "snapshots" / "epoch_000005" / "manifest.json"
    manifest.write_text(manifest.read_text()[:-100])
    result = call("ls", finished)
    assert "5/6" in result.stdout
    assert f"damaged: {manifest}" in result.stderr


def test_folder_without_runs_is_no_error(call, tmp_path: Path) -> None:
    result = call("ls", tmp_path)
    assert result.exit_code == 0
    assert result.output == f"No runs below {tmp_path}\n"


def test_default_folder_that_is_missing_is_named(call, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("ls")
    assert result.exit_code == 1
    assert result.output.startswith("Error: data/local: no such directory")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["typo", "file"])
def test_root_that_is_no_directory_is_an_error(call, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    result = call("ls", tmp_path / name)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """Return a folder of six runs: two rates, three seeds."""
    folder = tmp_path / "study"
    for rate in (0.1, 0.01):
        for seed in (1, 2, 3):
            run = folder / f"{rate}_{seed}"
            shutil.copytree(finished, run)
            (run / "variant.json").write_text(json.dumps({"lr": rate, "seed": seed}))
    return folder


def names(output: str) -> list[str]:
    return [line.split()[0] for line in output.splitlines()[1:]]


def test_parameters_and_metrics_are_columns(call, study: Path) -> None:
    lines = call("ls", study, "--columns", "lr,seed,Evaluation/AverageReturn").output.splitlines()
    assert lines[0].split()[-3:] == ["lr", "seed", "Evaluation/AverageReturn"]
    rows = {line.split()[0]: line.split()[-3:-1] for line in lines[1:]}
    assert rows["0.01_3"] == ["0.01", "3"]


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        (["lr=0.01"], ["0.01_1", "0.01_2", "0.01_3"]),
        (["lr<=1e-2", "seed!=2"], ["0.01_1", "0.01_3"]),
        (["run~_3"], ["0.1_3", "0.01_3"]),
        (["exact=yes", "lr>0.05", "seed>=3"], ["0.1_3"]),
        (["algo=HillClimbing", "seed<1"], []),
        (["Evaluation/AverageReturn<1e9", "seed>2", "lr!=0.1"], ["0.01_3"]),
    ],
)
def test_conditions_choose_runs(call_json, study: Path, conditions, left) -> None:
    asked = [part for condition in conditions for part in ("--where", condition)]
    found = call_json("ls", study, *asked)
    assert {Path(run["run"]).name for run in found} == set(left)


def test_runs_are_sorted_by_any_name_either_way(call, study: Path) -> None:
    assert names(call("ls", study, "--sort", "run").output) == sorted(
        f"{rate}_{seed}" for rate in (0.1, 0.01) for seed in (1, 2, 3)
    )
    rates = call("ls", study, "--sort", "-lr", "--columns", "lr").output
    assert [name.partition("_")[0] for name in names(rates)] == ["0.1"] * 3 + ["0.01"] * 3


def test_runs_that_differ_in_seed_alone_are_one_line(call, call_json, study: Path) -> None:
    first, second = call_json("ls", study, "--group", "--columns", "seed")
    assert (first["count"], second["count"]) == (3, 3)
    assert first["seed"] == {"mean": 2.0, "std": 1.0}
    assert first["return"]["std"] == 0.0
    lines = call("ls", study, "--group", "--columns", "lr,seed").output.splitlines()
    assert lines[0].split() == ["runs", "algo", "env", "count", "return", "lr", "seed"]
    assert sorted(line.split()[-4:] for line in lines[1:]) == [
        ["0.01", "2", "±", "1"],
        ["0.1", "2", "±", "1"],
    ]


def test_csv_holds_plain_values_and_every_parameter(call, study: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call("ls", study, "--csv", "--sort", "run").output)))
    assert [row["seed"] for row in rows] == ["1", "2", "3", "1", "2", "3"]
    assert rows[0]["lr"] == "0.01"
    assert Path(rows[0]["path"]).is_dir()
    assert float(rows[0]["return"]) < 0


def test_name_that_no_run_has_is_told_with_the_nearest(call, study: Path) -> None:
    result = call("ls", study, "--columns", "sed")
    assert result.exit_code == 1
    assert "no run has a column, parameter or metric 'sed'; did you mean seed" in result.output
    result = call("ls", study, "--where", "seed")
    assert "expected NAME=VALUE" in result.output
