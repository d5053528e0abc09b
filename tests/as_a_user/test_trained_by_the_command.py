"""`garage-like train`, killed and given again, trains as if it had never been killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

GARAGE_LIKE = [sys.executable, "-m", "garage_like"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
SMALL = [
    *("--n-epochs", "6", "--set", "train.batch_size=100", "--set", "algo.min_buffer_size=200"),
    *("--set", "algo.steps_per_epoch=4", "--set", "policy.hidden_sizes=[16]"),
]
TRAIN = [*GARAGE_LIKE, "train", "SAC", "Pendulum-v1", *SMALL, "--log-dir", "run"]


def call(command: list[str], directory: Path) -> None:
    subprocess.run(command, cwd=directory, env=ENVIRONMENT, check=True, timeout=300)


def killed(directory: Path) -> None:
    """Kill a run as soon as it has a snapshot."""
    process = subprocess.Popen(TRAIN, cwd=directory, env=ENVIRONMENT)
    while not list(directory.glob("run/snapshots/epoch_*/manifest.json")):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_killed_it_goes_on_by_either_command(tmp_path):
    straight, again, resumed = (tmp_path / name for name in ("straight", "again", "resumed"))
    straight.mkdir()
    again.mkdir()
    call(TRAIN, straight)
    killed(again)
    shutil.copytree(again, resumed)
    call(TRAIN, again)
    call([*GARAGE_LIKE, "resume", "run"], resumed)
    wanted = arrays(straight / "run")
    for place in (again, resumed):
        assert "Restore from snapshot" in (place / "run" / "debug.log").read_text()
        assert arrays(place / "run") == wanted
        assert rows(place / "run") == rows(straight / "run")
    assert len(rows(straight / "run")) == 6
