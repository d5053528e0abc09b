"""Kill a run inside a save, at each system call in turn, and run the same command again.

It goes on from the last snapshot that was committed or from the one in flight, never from nothing,
and ends as the run that was never killed.
"""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_run.py")
ROOT = Path(__file__).parents[2]


def run_script(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def sweep(folder, tmp_path, **options):
    ran = run_script("sweep", folder, json.dumps(options), tmp_path / "results")
    assert ran.returncode == 0, ran.stderr
    whole, *found = map(json.loads, (tmp_path / "results").read_text().splitlines())
    assert len(found) == whole["points"]
    return whole, found


def was_killed(result):
    return result["killed"] == -signal.SIGKILL


def committed_epoch(result):
    return int(result["committed"].removeprefix("epoch_")) if result["committed"] else -1


SWEEPS = [
    pytest.param({"snapshot_mode": "last"}, 90, id="last"),
    pytest.param(
        {"snapshot_mode": "last", "replace": True}, 140, id="last twice", marks=pytest.mark.slow
    ),
    pytest.param({"snapshot_mode": "all"}, 60, id="all", marks=pytest.mark.slow),
    pytest.param(
        {"snapshot_mode": "all", "replace": True}, 100, id="all twice", marks=pytest.mark.slow
    ),
    pytest.param(
        {
            "snapshot_mode": "gap_overwrite",
            "snapshot_gap": 2,
            "keep_best": 1,
            "best_metric": "Norm",
        },
        60,
        id="gap and best",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("options", "least"), SWEEPS)
def test_run_goes_on_from_the_last_snapshot_or_the_one_in_flight(
    options, least, folder, tmp_path, figures
):
    whole, found = sweep(folder, tmp_path, async_save=False, **options)
    assert len(found) >= least
    assert all(map(was_killed, found))
    for result in found:
        lost = result["first_epoch"] - 1 - committed_epoch(result)
        assert lost >= 0, f"went back behind what was committed: {result}"
        assert lost <= options.get("snapshot_gap", 1), f"came from nowhere: {result}"
        assert result["state"] == whole["state"], f"not the run that was never killed: {result}"
    assert {result["first_epoch"] for result in found} >= {0, 1, 2, 3} - {
        epoch for epoch in (2,) if "snapshot_gap" in options
    }
    figures["kills inside a save survived, the run ending as if never killed"] += len(found)


@pytest.mark.parametrize("mode", ["last", pytest.param("all", marks=pytest.mark.slow)])
def test_run_whose_snapshots_are_written_behind_goes_on_too(mode, folder, tmp_path, figures):
    whole, found = sweep(folder, tmp_path, async_save=True, snapshot_mode=mode)
    assert sum(map(was_killed, found)) >= 30, "how many are written depends on who is faster"
    for result in found:
        assert result["first_epoch"] > committed_epoch(result), result
        assert result["state"] == whole["state"], result
    figures["kills inside a save that is written behind, survived likewise"] += len(found)


def table(run_dir):
    with open(run_dir / "progress.csv", newline="") as file:
        return [{k: v for k, v in row.items() if "Time" not in k} for row in csv.DictReader(file)]


EIGHTHS = [pytest.param(n, marks=pytest.mark.slow if n % 3 else ()) for n in range(8)]


@pytest.mark.parametrize("eighth", EIGHTHS)
def test_run_killed_in_a_fresh_process_goes_on_with_its_logs(eighth, tmp_path):
    options = json.dumps({"snapshot_mode": "last", "async_save": False})

    def train(name, kill_at):
        return run_script("train", tmp_path / name, options, kill_at, tmp_path / f"{name}.json")

    def result(name):
        return json.loads((tmp_path / f"{name}.json").read_text())

    assert train("whole", 0).returncode == 0
    point = 1 + (result("whole")["points"] - 1) * eighth // 7
    assert train("killed", point).returncode == -signal.SIGKILL
    ran = train("killed", 0)
    assert ran.returncode == 0, ran.stderr
    assert result("killed")["state"] == result("whole")["state"]
    assert table(tmp_path / "killed") == table(tmp_path / "whole")
    assert len(table(tmp_path / "whole")) == 3
