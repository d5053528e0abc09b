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


def test_runs_are_grouped_by_folder_the_latest_folder_last(call, runs: Path, tmp_path) -> None:
    for name in ("late/killed", "early/finished", "late/finished"):
        shutil.copytree(runs / Path(name).name, tmp_path / name)
    lines = [line.split()[0] for line in call("ls", tmp_path).output.splitlines()]
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
