"""Run examples as their reader does: by typing a command, in a folder of one's own."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEARCH = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

Run = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return a function that starts `python WORDS` in a folder of the test's own."""

    def start_python(*words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": SEARCH, "COLUMNS": "80"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start_python


@pytest.fixture
def run(start: Start) -> Run:
    """Return a function that runs `python WORDS` and returns what it prints."""

    def run_python(*words: object) -> str:
        process = start(*words)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, output[-2000:] + errors[-4000:]
        return output

    return run_python


@pytest.fixture
def run_example(run: Run) -> Run:
    """Return a function that runs an example, named by its path in the folder of examples."""
    return lambda name, *words: run(ROOT / "examples" / name, *words)


@pytest.fixture
def garage_like(run: Run) -> Run:
    """Return a function that calls the command line, and returns what it prints."""
    return lambda *words: run("-m", "garage_like", *words)


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, str]]]:
    """Return a function that reads a run's log, columns of times left out."""

    def read(run_dir: Path) -> list[dict[str, str]]:
        with (run_dir / "progress.csv").open(newline="") as file:
            return [
                {key: value for key, value in row.items() if not key.endswith("Time")}
                for row in csv.DictReader(file)
            ]

    return read
