"""Runs to look at and go on with, made by a real process that is really killed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from garage_like.cli import main

LAUNCHER = Path(__file__).with_name("hill_climbing.py")
N_EPOCHS = 6
KILLED_AT = 3


def start(log_dir: Path, n_epochs: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the experiment in a process of its own."""
    return subprocess.run(
        [sys.executable, str(LAUNCHER), str(log_dir), str(n_epochs)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two runs, `finished` and `killed`; tests must not change them."""
    folder = tmp_path_factory.mktemp("runs")
    finished = start(folder / "finished", N_EPOCHS)
    assert finished.returncode == 0, finished.stderr
    killed = start(folder / "killed", N_EPOCHS, STOP_AFTER=str(KILLED_AT))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    return folder


@pytest.fixture
def finished(runs: Path, tmp_path: Path) -> Path:
    """Return a copy of a run that finished."""
    return Path(shutil.copytree(runs / "finished", tmp_path / "finished"))


@pytest.fixture
def killed(runs: Path, tmp_path: Path) -> Path:
    """Return a copy of a run that was killed half-way."""
    return Path(shutil.copytree(runs / "killed", tmp_path / "killed"))


@pytest.fixture
def call() -> Callable[..., Result]:
    """Return a function that calls a command in this process, at 80 columns."""

    def invoke(*arguments: Any) -> Result:
        return CliRunner(env={"COLUMNS": "80"}).invoke(main, [str(word) for word in arguments])

    return invoke


@pytest.fixture
def call_json(call: Callable[..., Result]) -> Callable[..., Any]:
    """Return a function that calls a command with --json and parses what it prints."""

    def invoke(*arguments: Any) -> Any:
        result = call(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


def run_command(*arguments: Any, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call a command in a fresh process, outside of the project's folder."""
    search = [os.environ.get("PYTHONPATH"), path and str(path)]
    return subprocess.run(
        [sys.executable, "-m", "garage_like", *map(str, arguments)],
        cwd="/",
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": os.pathsep.join(filter(None, search))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return `run_command`."""
    return run_command


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, str]]]:
    """Return a function that reads a run's log, columns of times left out."""

    def read(run: Path) -> list[dict[str, str]]:
        with (run / "progress.csv").open(newline="") as file:
            return [
                {key: value for key, value in row.items() if not key.endswith("Time")}
                for row in csv.DictReader(file)
            ]

    return read
