import json
import shutil
from pathlib import Path


def test_branch_goes_on_as_its_parent_did(command, rows, finished: Path) -> None:
    done = command("branch", finished, "other", "--from-epoch", 2)
    assert done.returncode == 0, done.stderr
    new = finished.with_name("other")
    assert done.stdout.endswith(f"  garage-like resume {new}\n")
    resumed = command("resume", new)
    assert resumed.returncode == 0, resumed.stderr
    assert rows(new) == rows(finished)[3:]
    assert command("diff", finished, new).returncode == 0


def test_branch_records_its_parent_and_copies_its_description(
    call, call_json, finished: Path
) -> None:
    made = call_json("branch", finished, "--from-epoch", 2)
    new, parent = Path(made["run"]), {"run": str(finished), "epoch": 2}
    assert new == finished.with_name("finished_from_2")
    assert made["parent"] == parent
    experiment = json.loads((new / "experiment.json").read_text())
    assert experiment.pop("parent") == parent
    assert experiment == json.loads((finished / "experiment.json").read_text())
    assert (new / "variant.json").read_text() == (finished / "variant.json").read_text()
    assert call("verify", new).exit_code == 0
    assert call_json("branch", finished, "--from-epoch", 2)["run"] == f"{new}_1"


def test_branch_depends_on_nothing_of_its_parent(command, rows, finished: Path) -> None:
    straight = rows(finished)
    command("branch", finished, "other", "--from-epoch", 2)
    shutil.rmtree(finished)
    assert command("resume", finished.with_name("other")).returncode == 0
    assert rows(finished.with_name("other")) == straight[3:]


def test_damaged_snapshot_is_not_branched_from(call, finished: Path, tmp_path: Path) -> None:
    (finished / "snapshots" / "epoch_000002" / "objects.pkl").write_bytes(b"no pickle")
    refused = call("branch", finished, tmp_path / "new" / "run", "--from-epoch", 2)
    assert refused.exit_code == 1
    assert "objects.pkl: expected" in refused.stderr
    assert not (tmp_path / "new" / "run").exists()


def test_place_that_is_taken_is_refused(call, finished: Path) -> None:
    refused = call("branch", finished, "finished", "--from-epoch", 2)
    assert refused.exit_code == 1
    assert refused.stderr == f"Error: {finished}: expected a new or an empty directory\n"
