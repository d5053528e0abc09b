"""A run with 64 environments is killed in mid-episode, and the same command goes on with it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from garage_like.snapshot import read_snapshot

LAUNCHER = Path(__file__).parent / "many_environments.py"
RUN = Path("data/local/experiment/train")


def launch(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    directory.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, LAUNCHER, *arguments],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows(directory: Path) -> list[dict[str, str]]:
    with (directory / RUN / "progress.csv").open(newline="") as lines:
        return [
            {k: v for k, v in row.items() if "Time" not in k or k == "TotalEnvSteps"}
            for row in csv.DictReader(lines)
        ]


@pytest.mark.parametrize("form", ["native", pytest.param("sync", marks=pytest.mark.slow)])
def test_killed_run_goes_on_bit_for_bit(form, tmp_path):
    straight = launch(tmp_path / "straight", form)
    assert straight.returncode == 0, straight.stderr
    killed = launch(tmp_path / "killed", form, "3")
    assert killed.returncode == 9, killed.stderr
    again = launch(tmp_path / "killed", form)
    assert again.returncode == 0, again.stderr
    assert len(rows(tmp_path / "straight")) == 6
    assert rows(tmp_path / "killed") == rows(tmp_path / "straight")
    snapshots = [read_snapshot(tmp_path / name / RUN) for name in ("straight", "killed")]
    assert snapshots[0].manifest.exact
    assert snapshots[1].manifest.env_state["mode"] == "exact"
    weights = [snapshot.tensors("policy") for snapshot in snapshots]
    assert all(weights[0][name].tobytes() == weights[1][name].tobytes() for name in weights[0])
