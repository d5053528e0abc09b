import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from garage_like.snapshot import list_snapshots
from garage_like.snapshot.disk.manifest import Manifest


def state(run: Path) -> dict[str, str]:
    """Return the digests of all arrays in the newest snapshot."""
    newest = max((run / "snapshots").glob("epoch_*"))
    files = json.loads((newest / "manifest.json").read_text())["files"]
    return {name: entry["xxh3_128"] for name, entry in files.items() if name.startswith("tensors/")}


def test_killed_run_continues_in_place_as_if_never_killed(command, rows, killed, finished) -> None:
    assert len(rows(killed)) == 3
    done = command("resume", killed)
    assert done.returncode == 0, done.stderr
    assert rows(killed) == rows(finished)
    assert state(killed) == state(finished)
    assert state(killed)
    assert done.stdout.endswith(f"Finished 6 epochs in {killed}\n")


def test_log_goes_on_under_the_name_of_the_experiment(command, killed: Path) -> None:
    before = (killed / "debug.log").read_text()
    command("resume", killed)
    lines = (killed / "debug.log").read_text().removeprefix(before).splitlines()
    assert any(line.endswith("[hills] epoch #5 | Saved") for line in lines)


def test_finished_run_has_nothing_left_and_is_not_touched(command, finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    done = command("resume", finished)
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing is left to do: 6 epochs are finished; pass --n-epochs")
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_zero_additional_epochs_leave_nothing_to_do(command, killed: Path) -> None:
    assert "Nothing is left to do: 3 epochs" in command(
        "resume", killed, "--additional-epochs", 0
    ).stdout  # fmt: skip


def test_run_is_made_longer(command, rows, finished: Path) -> None:
    assert command("resume", finished, "--n-epochs", 8).returncode == 0
    assert command("resume", finished, "--additional-epochs", 1).returncode == 0
    assert len(rows(finished)) == 9


def test_batch_size_is_changed(command, rows, killed: Path) -> None:
    command("resume", killed, "--batch-size", 10)
    assert [row["TotalEnvSteps"] for row in rows(killed)[-2:]] == ["6164", "6174"]


def test_going_back_keeps_what_came_later_aside(command, rows, finished: Path) -> None:
    straight = rows(finished)
    done = command("resume", finished, "--from-epoch", "first")
    assert done.returncode == 0, done.stderr
    assert rows(finished) == straight
    orphans = finished / "snapshots" / "orphan-1"
    assert sorted(path.name for path in orphans.iterdir())[-1] == "epoch_000005"
    assert (finished / "progress.csv.orphan-1").exists()


def test_best_is_judged_by_the_metric_of_the_experiment(command, finished: Path) -> None:
    options = json.loads((finished / "experiment.json").read_text())
    options["options"]["best_metric"] = "TotalEnvSteps"
    options["options"]["best_mode"] = "min"
    (finished / "experiment.json").write_text(json.dumps(options))
    done = command("resume", finished, "--from-epoch", "best")
    assert f"Restore from snapshot saved in {finished}/snapshots/epoch_000000\n" in done.stdout


def test_new_directory_records_its_parent_and_resumes_in_turn(
    command, rows, finished: Path, tmp_path: Path
) -> None:
    new, before = tmp_path / "a" / "new", sorted(finished.rglob("*"))
    done = command("resume", finished, "--from-epoch", 2, "--n-epochs", 5, "--log-dir", new)
    assert done.returncode == 0, done.stderr
    assert sorted(finished.rglob("*")) == before
    assert rows(new) == rows(finished)[3:5]
    shown = json.loads(command("show", new, "--json").stdout)
    assert shown["parent"] == {"run": str(finished), "epoch": 2}
    assert shown["parameters"] == {"n_epochs": 6}
    assert command("resume", new, "--n-epochs", 6).returncode == 0
    assert rows(new) == rows(finished)[3:]


def test_snapshot_on_its_own_goes_on_in_a_new_directory(
    command, rows, finished: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(finished / "snapshots" / "epoch_000003", alone)
    straight = rows(finished)
    shutil.rmtree(finished)
    refused = command("resume", alone)
    assert refused.returncode == 2
    assert "say where the run goes on: --log-dir NEW" in refused.stderr
    done = command("resume", alone, "--log-dir", tmp_path / "new", path=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "new") == straight[4:]


def test_json_is_all_that_standard_output_holds(command, killed: Path) -> None:
    done = command("resume", killed, "--json")
    assert json.loads(done.stdout) == {
        "run": str(killed),
        "nothing_left": False,
        "last_epoch": 5,
        "n_epochs": 6,
        "total_env_steps": 12288,
        "snapshot": str(killed / "snapshots" / "epoch_000005"),
        "parent": None,
    }


def test_progress_bar_takes_the_place_of_the_log(command, killed: Path) -> None:
    done = command("resume", killed, "--progress")
    assert "6/6" in done.stderr
    assert done.stdout == f"Finished 6 epochs in {killed}\n"


def test_damaged_snapshot_is_passed_over_with_a_warning(command, rows, killed, finished) -> None:
    (killed / "snapshots" / "epoch_000002" / "objects.pkl").write_bytes(b"no pickle")
    done = command("resume", killed)
    assert done.returncode == 0, done.stderr
    warning = done.stderr.splitlines()[0]
    assert warning.startswith("Warning: snapshot of epoch 2 is damaged")
    assert rows(killed) == rows(finished)


def test_damaged_last_snapshot_of_a_finished_run_is_trained_again(command, rows, finished) -> None:
    straight = rows(finished)
    (finished / "snapshots" / "epoch_000005" / "objects.pkl").unlink()
    assert command("resume", finished).returncode == 0
    assert rows(finished) == straight


def test_module_beside_a_launcher_that_is_gone_is_named(command, killed: Path) -> None:
    experiment = json.loads((killed / "experiment.json").read_text())
    (killed / "experiment.json").write_text(json.dumps(experiment | {"module_paths": []}))
    done = command("resume", killed)
    assert done.returncode == 1
    assert "cannot be built here: No module named 'beside_the_launcher'; install" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_run_that_another_process_writes_is_refused(command, killed: Path) -> None:
    from garage_like.snapshot.disk.lock import RunLock

    lock = RunLock(killed)
    lock.acquire()
    try:
        done = command("resume", killed)
    finally:
        lock.release()
    assert done.returncode == 1
    assert "another process is writing to this run" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_run_without_an_experiment_keeps_every_snapshot(command, killed: Path) -> None:
    (killed / "experiment.json").unlink()
    done = command("resume", killed, path=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
    assert len(list((killed / "snapshots").glob("epoch_*"))) == 6


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{}/typo"], 1, "typo: no such directory"),
        (["{}/typo", "--log-dir", "{}/new"], 1, "typo: no such directory"),
        (["{}/finished", "--from-epoch", "77"], 1, "no snapshot of epoch 77"),
        (["{}/finished", "--from-epoch", "lst"], 2, "expected first, last, best or the number"),
        (["{}/finished", "--n-epochs", "9", "--additional-epochs", "1"], 2, "not both"),
        (["{}/finished", "--n-epochs", "-1"], 2, "-1 is not in the range"),
        (["{}/finished", "--log-dir", "{}/finished"], 1, "expected a new or an empty directory"),
        (["{}/finished/snapshots/epoch_000001", "--from-epoch", "2"], 2, "is one snapshot"),
    ],
)
def test_bad_arguments_change_nothing(
    call, finished: Path, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = call("resume", *(word.format(tmp_path) for word in arguments))
    assert result.exit_code == status
    assert message in result.output.replace("\n", " ")
    assert sorted(tmp_path.rglob("*")) == before


def test_run_of_another_user_goes_on_only_if_trusted(command, rows, killed, finished) -> None:
    for path in (killed / "snapshots").glob("epoch_*"):
        manifest = replace(Manifest.read(path), written_by="somebody else")
        (path / "manifest.json").write_bytes(manifest.to_bytes())
    refused = command("resume", killed)
    assert refused.returncode == 1
    assert "it was written by 'somebody else', not by" in refused.stderr
    assert "--trust on the command line" in refused.stderr
    assert len(rows(killed)) == 3
    assert command("resume", killed, "--trust").returncode == 0
    assert rows(killed) == rows(finished)


LOOP = """
import os
from garage_like import epochs

total = 0
for i in epochs("run", 5, globals(), snapshot_mode="all"):
    if os.environ.get("STOPS") and i == 3:
        break
    total += i
"""


def test_loop_of_a_script_goes_on_where_the_run_is_and_not_where_it_was(
    call, tmp_path: Path
) -> None:
    first, moved = tmp_path / "first", tmp_path / "moved"
    first.mkdir()
    (first / "script.py").write_text(LOOP)
    options = {"check": True, "capture_output": True, "timeout": 120}
    subprocess.run(
        [sys.executable, "script.py"], cwd=first, env={**os.environ, "STOPS": "1"}, **options
    )
    shutil.copytree(first / "run", moved / "run")
    resume = [sys.executable, "-m", "garage_like", "resume", "run"]  # of two that are called so
    subprocess.run(resume, cwd=moved, **options)
    assert list_snapshots(moved / "run")[-1].name == "epoch_000004"
    assert list_snapshots(first / "run")[-1].name == "epoch_000002"
    for words, said in (
        (["play", first / "run"], "the loop is a script's own"),
        (["resume", first / "run", "--set", "algo.discount=0.9"], "--set: the loop is the"),
    ):
        refused = call(*words)
        assert isinstance(refused.exception, SystemExit), refused.exception
        assert said in refused.output
