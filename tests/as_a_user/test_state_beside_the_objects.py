"""A launcher keeps a generator and a counter outside of its objects, and is killed."""

import csv
import os
import subprocess
import sys
from pathlib import Path

LAUNCHER = Path(__file__).parent / "drawing_beside_the_objects.py"
LOG = Path("data/local/experiment/train/progress.csv")


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


def drawn(directory: Path) -> list[tuple[str, str]]:
    with (directory / LOG).open(newline="") as lines:
        return [(row["Drawn"], row["Counted"]) for row in csv.DictReader(lines)]


def test_the_same_command_goes_on_with_what_the_launcher_itself_holds(tmp_path):
    assert launch(tmp_path / "straight").returncode == 0
    killed = launch(tmp_path / "killed", "3")
    assert killed.returncode == 9, killed.stderr
    again = launch(tmp_path / "killed")
    assert again.returncode == 0, again.stderr
    assert len(drawn(tmp_path / "straight")) == 6
    assert drawn(tmp_path / "killed") == drawn(tmp_path / "straight")
