"""A run that moves between a process and several at each resume is the run that never moved."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

SCRIPT = Path(__file__).parent / "moving_between_samplers.py"
RUN = Path("data/local/experiment/moving")


def start(directory: Path, *arguments: str) -> int:
    directory.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-W", "ignore", SCRIPT, *arguments],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
    ).returncode


@pytest.mark.slow
@pytest.mark.parametrize("first", ["local", "processes"])
def test_a_run_may_move_to_processes_and_back(first, tmp_path):
    second = {"local": "processes", "processes": "local"}[first]
    assert start(tmp_path / "straight", "local") == 0
    assert start(tmp_path / "moved", first, "kill") == -9
    assert start(tmp_path / "moved", second, "kill") == -9
    assert start(tmp_path / "moved", first) == 0
    straight, moved = tmp_path / "straight" / RUN, tmp_path / "moved" / RUN
    log = (moved / "debug.log").read_text()
    assert log.count("Restore from snapshot") == 2
    assert "numerical" not in log
    ours, theirs = arrays(straight), arrays(moved)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(moved) == rows(straight)
