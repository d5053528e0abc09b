import json
from pathlib import Path

import pytest

from garage_like.snapshot.disk.lock import RunLock


def epochs(run: Path) -> list[int]:
    return sorted(int(path.name[-6:]) for path in (run / "snapshots").glob("epoch_*"))


@pytest.mark.parametrize(
    ("rules", "stay"),
    [
        (["--keep-last", 3], [3, 4, 5]),
        (["--keep-last", 1], [4, 5]),
        (["--keep-period", 3], [0, 3, 4, 5]),
        (["--keep-best", 1], [4, 5]),
        (["--keep-last", 3, "--keep-period", 2], [0, 2, 3, 4, 5]),
        ([], [0, 1, 2, 3, 4, 5]),
    ],
)
def test_rules_decide_which_stay(call_json, finished: Path, rules: list, stay: list[int]) -> None:
    planned = call_json("prune", finished, *rules, "--dry-run")
    assert epochs(finished) == [0, 1, 2, 3, 4, 5]
    done = call_json("prune", finished, *rules)
    assert epochs(finished) == stay
    assert done["kept"] == stay
    assert planned == {**done, "dry_run": True}


def test_best_and_pinned_snapshots_stay(call, call_json, finished: Path) -> None:
    options = json.loads((finished / "experiment.json").read_text())
    options["options"].update(best_metric="TotalEnvSteps", best_mode="min")
    (finished / "experiment.json").write_text(json.dumps(options))
    assert call("pin", finished, 2).exit_code == 0
    assert call_json("prune", finished, "--keep-best", 1)["pinned"] == [2]
    assert epochs(finished) == [0, 2, 4, 5]


def test_what_went_is_told(call, finished: Path) -> None:
    planned = call("prune", finished, "--keep-last", 2, "--dry-run").stdout
    assert planned.startswith("Would remove 4 snapshots (epochs 0-3), ")
    done = call("prune", finished, "--keep-last", 2).stdout
    assert done == planned.replace("Would remove", "Removed")
    assert done.endswith("2 stay (4-5)\n")


def test_run_that_is_being_written_is_refused(call, command, finished: Path) -> None:
    lock = RunLock(finished)
    lock.acquire()
    try:
        done = command("prune", finished, "--keep-last", 2)
    finally:
        lock.release()
    assert done.returncode == 1
    assert "another process is writing to this run (process" in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(epochs(finished)) == 6


def test_what_is_no_run_is_an_error(call, finished: Path, tmp_path: Path) -> None:
    snapshot = finished / "snapshots" / "epoch_000001"
    for path in (snapshot, tmp_path):
        refused = call("prune", path)
        assert refused.exit_code == 1
        expected = f"Error: {path}: expected a run directory, with experiment.json or snapshots/\n"
        assert refused.stderr == expected
