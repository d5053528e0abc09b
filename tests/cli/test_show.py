import shutil
from pathlib import Path

import pytest

from garage_like.snapshot.disk.manifest import Manifest


def test_says_all_that_a_person_asks(call, killed: Path) -> None:
    output = call("show", killed).output
    first, second, third = output.splitlines()[:3]
    assert first == str(killed)
    assert second.startswith("HillClimbing on ?, 3 of 6 epochs, 6,144 env steps, ")
    assert third.startswith("exact: ")
    for title in ("Parameters", "Components", "Last row of the log", "Snapshots", "Files"):
        assert f"\n{title}\n" in output
    assert "beside_the_launcher.StepSize" in output
    assert output.endswith(f"To go on:\n  garage-like resume {killed}\n")


def test_every_line_fits_eighty_columns(call, killed: Path) -> None:
    lines = call("show", killed).output.splitlines()
    own = [line for line in lines if str(killed) not in line]
    assert max(map(len, own)) <= 80


def test_json_holds_parameters_counters_metrics_and_snapshots(call_json, killed: Path) -> None:
    shown = call_json("show", killed)
    assert shown["parameters"] == {"n_epochs": 6}
    assert shown["experiment"]["options"]["snapshot_mode"] == "all"
    assert (shown["epoch"], shown["itr"], shown["total_env_steps"]) == (2, 3, 6144)
    assert shown["metrics"]["TotalEnvSteps"] == 6144
    assert shown["train_args"]["batch_size"] == 2048
    assert [snapshot["epoch"] for snapshot in shown["snapshots"]] == [0, 1, 2]
    assert shown["files"]["progress.csv"] == (killed / "progress.csv").stat().st_size
    assert shown["resume"] == f"garage-like resume {killed}"


def test_finished_run_is_continued_by_additional_epochs(call_json, finished: Path) -> None:
    assert call_json("show", finished)["resume"].endswith(" --additional-epochs 10")


def test_one_snapshot_of_a_run_is_shown_by_itself(call_json, finished: Path) -> None:
    shown = call_json("show", finished / "snapshots" / "epoch_000002")
    assert shown["epoch"] == 2
    assert [snapshot["epoch"] for snapshot in shown["snapshots"]] == [2]
    assert shown["parameters"] == {"n_epochs": 6}
    assert shown["resume"] == f"garage-like resume {finished} --from-epoch 2"


def test_snapshots_folder_means_the_run(call_json, finished: Path) -> None:
    assert call_json("show", finished / "snapshots")["run"] == str(finished)


def test_snapshot_copied_elsewhere_is_shown(call_json, finished: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(finished / "snapshots" / "epoch_000002", tmp_path / "alone"))
    shown = call_json("show", alone)
    assert (shown["epoch"], shown["run"]) == (2, None)
    assert shown["resume"] == f"garage-like resume {alone} --log-dir NEW"


def test_resume_command_is_quoted(call_json, finished: Path) -> None:
    spaced = finished.rename(finished.with_name("my run"))
    assert f"'{spaced}'" in call_json("show", spaced)["resume"]


def test_many_snapshots_are_cut_short_unless_all_are_asked_for(call, finished: Path) -> None:
    snapshots = finished / "snapshots"
    for epoch in range(6, 40):
        shutil.copytree(snapshots / "epoch_000000", snapshots / f"epoch_{epoch:06d}")
    short = call("show", finished).output
    assert "28 more, --all lists them" in short
    assert "epoch_000020" not in short
    assert "epoch_000039" in short
    assert "epoch_000020" in call("show", finished, "--all").output


def test_snapshots_that_are_not_shown_are_not_read(call, finished: Path, monkeypatch) -> None:
    snapshots, read = finished / "snapshots", []
    for epoch in range(6, 40):
        shutil.copytree(snapshots / "epoch_000000", snapshots / f"epoch_{epoch:06d}")
    whole = Manifest.read
    monkeypatch.setattr(Manifest, "read", lambda *of: read.append(of[0]) or whole(*of))
    call("show", finished)
    assert len(read) == 13  # the newest twice: of the run, and in its row


def test_damaged_manifest_is_named_and_the_rest_shown(call, finished: Path) -> None:
    manifest = finished / "snapshots" / "epoch_000005" / "manifest.json"
    manifest.write_text("{")
    output = call("show", finished).output
    assert "5 of 6 epochs" in output
    assert f"damaged: {manifest}: not JSON" in output
    assert "damaged  epoch_000005" in output


def test_run_with_damaged_manifests_alone_says_so(call, finished: Path) -> None:
    for manifest in finished.glob("snapshots/*/manifest.json"):
        manifest.write_text("{")
    output = call("show", finished).output
    assert "no snapshot that can be read" in output
    assert output.count("damaged: ") == 1
    assert "and 5 more; garage-like verify RUN names them all" in output


def test_run_without_a_snapshot_shows_its_parameters(call, finished: Path) -> None:
    shutil.rmtree(finished / "snapshots")
    output = call("show", finished).output
    assert "no snapshot yet" in output
    assert "n_epochs" in output
    assert "To go on" not in output


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_path_that_is_no_run_is_an_error_of_one_line(call, tmp_path: Path, kind: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    result = call("show", tmp_path / kind)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {tmp_path / kind}: ")
    assert len(result.output.splitlines()) == 1
