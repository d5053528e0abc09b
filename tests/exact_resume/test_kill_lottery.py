"""Kill a run at random moments, from the start of the process on; run the same command again.

However often it was killed and wherever, the final state and the log's table are those of the run
that was never killed. Half of the kills wait until a save is under way.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments

from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.loading import load_snapshot

SCRIPT = Path(__file__).parent / "lottery_experiment.py"
KILLS = 20


def start(log_dir: Path, algorithm: str, n_epochs: int) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(log_dir), algorithm, str(n_epochs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )


def finish(process: subprocess.Popen) -> str:
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 0, output
    return output


def kill_inside_a_save(process: subprocess.Popen, run_dir: Path, deadline: float) -> bool:
    """Kill when a snapshot is being written; give up at the deadline or when the run ends."""
    while process.poll() is None and time.monotonic() < deadline:
        if any(run_dir.glob("snapshots/.saving-*")):
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
    process.kill()
    process.wait()
    return False


def final_state(run_dir: Path) -> dict:
    graph = load_snapshot(run_dir).graph()
    graph.pop("train_args")
    return {
        path: digest
        for path, digest in leaves(graph).items()
        if not any(word in path for word in experiments.TIMES)
    }


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "n_epochs"), [("ppo", 40), ("cem", 60)])
def test_killed_run_ends_as_the_run_that_was_never_killed(algorithm, n_epochs, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    began = time.monotonic()
    finish(start(whole, algorithm, n_epochs))
    duration = time.monotonic() - began

    lottery = random.Random(algorithm)
    inside_saves, running = 0, 0
    for number in range(KILLS):
        process = start(killed, algorithm, n_epochs)
        if number % 2:
            deadline = time.monotonic() + 60
            inside_saves += kill_inside_a_save(process, killed, deadline)
        else:
            time.sleep(lottery.uniform(0, duration / 2))
            running += process.poll() is None
            process.kill()
            process.wait()
        process.stdout.close()
    finish(start(killed, algorithm, n_epochs))

    print(json.dumps({"inside_saves": inside_saves, "running": running}))
    assert inside_saves + running >= KILLS // 2, "the lottery must hit runs that are under way"
    table = experiments.rows_without_times(killed / "progress.csv")
    assert table == experiments.rows_without_times(whole / "progress.csv")
    assert len(table) == n_epochs
    assert final_state(killed) == final_state(whole)
