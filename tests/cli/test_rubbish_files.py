"""A file of a run is rubbish: each reading command ends soon, with a word, in little memory."""

import os
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from garage_like.cli import main

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
    *wrong, _, most = done.stdout.splitlines()
    assert wrong == []
    assert int(most) < MOST_MIB


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """Make folders below each other: a longer path than any may be, deeper than Python calls."""
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own way calls itself


@pytest.mark.parametrize("command", ["ls", "tree", "show", "plot", "verify", "rm"])
def test_folders_below_each_other_without_end(command: str, deep: Path) -> None:
    words = {"plot": ["--y", "a"], "rm": ["--dry-run"]}.get(command, [])
    began = time.process_time()
    result = CliRunner().invoke(main, [command, str(deep), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert time.process_time() - began < 2.0
