"""A run that moves between samplers at each resume is the run that never moved, whoever dies."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

SCRIPT = Path(__file__).parent / "moving_between_samplers.py"
RUN = Path("data/local/experiment/moving")
ELSEWHERE = ("local", "processes", "ray")

# Each moves twice and is killed in each place: over all orders, everything begins everywhere.
ORDERS = [ELSEWHERE[k:] + ELSEWHERE[:k] for k in range(3)]
CELLS = list(itertools.product(("ppo", "sac", "dqn", "cem"), (1, 2, 4), ORDERS))
if os.environ.get("WHOLE_MATRIX") != "1":
    CELLS = [
        ("ppo", 2, ("processes", "ray", "local")),
        ("sac", 2, ("local", "processes", "local")),
        ("dqn", 4, ("processes", "local", "processes")),
        ("cem", 1, ("local", "processes", "local")),
    ]


@pytest.fixture
def ray():
    """Return variables for a Ray that writes to a folder of its own; its path must be short."""
    folder = Path(f"/tmp/gl-moving-{os.getpid()}")
    folder.mkdir()
    yield {"HOME": str(folder), "RAY_TMPDIR": str(folder), "RAY_ADDRESS": "local"}
    shutil.rmtree(folder, ignore_errors=True)


def start(directory: Path, variables: dict[str, str], *arguments: object) -> int:
    directory.mkdir(exist_ok=True)
    with (directory / "said.txt").open("a") as said:
        return subprocess.run(
            [sys.executable, "-W", "ignore", SCRIPT, *map(str, arguments)],
            cwd=directory,
            env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
            stdout=said,
            stderr=said,
            timeout=300,
        ).returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algo", "n_workers", "order"), CELLS, ids=[f"{a}-{n}-{'-'.join(o)}" for a, n, o in CELLS]
)
def test_a_run_may_move_and_all_may_die(algo, n_workers, order, tmp_path, ray):
    if "ray" in order:
        pytest.importorskip("ray")
    straight, moved = tmp_path / "straight", tmp_path / "moved"
    assert start(straight, {}, algo, "local", n_workers) == 0
    for where in order[:-1]:
        assert start(moved, ray, algo, where, n_workers, "kill") == -signal.SIGKILL
    assert start(moved, ray, algo, order[-1], n_workers) == 0, (moved / "said.txt").read_text()
    log = (moved / RUN / "debug.log").read_text()
    assert log.count("Restore from snapshot") == len(order) - 1
    assert "numerical" not in log
    ours, theirs = arrays(straight / RUN), arrays(moved / RUN)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(moved / RUN) == rows(straight / RUN)
