"""A script with callbacks is killed and started again, by either command, as if never killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

SCRIPT = Path(__file__).with_name("watched.py")
RUN = Path("data/local/experiment/watched")


def start(folder: Path, *command: str, **variables: str) -> int:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment).returncode


@pytest.mark.slow
@pytest.mark.parametrize("command", [[str(SCRIPT)], ["-m", "garage_like", "resume", str(RUN)]])
def test_killed_and_started_again_it_is_as_if_never_killed(tmp_path, command):
    assert start(tmp_path / "whole", str(SCRIPT)) == 0
    assert start(tmp_path / "again", str(SCRIPT), KILL_AT="2") == 9
    assert start(tmp_path / "again", *command) == 0
    whole, again = tmp_path / "whole" / RUN, tmp_path / "again" / RUN
    assert "Restore from snapshot" in (again / "debug.log").read_text()
    assert "The resume is exact" in (again / "debug.log").read_text()
    assert 3 < len(rows(whole)) < 30
    assert rows(again) == rows(whole)
    ours, theirs = arrays(whole), arrays(again)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
