"""A file of a run is rubbish: each reading command ends soon, with a word, in little memory."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("reading_commands.py")
MOST_MIB = 200
SLOW = ("many_values", "as_many_values_as_are_read")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.slow if kind in SLOW else ())
        for kind in runpy.run_path(str(SCRIPT))["KINDS"]
    ],
)
def test_each_command_ends_soon_and_in_little_memory(kind: str, runs: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, kind, runs / "finished", tmp_path],
        env={**os.environ, "COLUMNS": "80", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *wrong, most = done.stdout.splitlines()
    assert wrong == []
    assert int(most) < MOST_MIB
