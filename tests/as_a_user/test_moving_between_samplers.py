"""A run that moves between samplers at each resume is the run that never moved, whoever dies."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

SCRIPT = Path(__file__).parent / "moving_between_samplers.py"
RUN = Path("data/local/experiment/moving")
ELSEWHERE = ("local", "processes", "ray")
IS_WHOLE = os.environ.get("WHOLE_MATRIX") == "1"

# Each moves at three resumes and dies in each place; over all orders, all begins everywhere.
ORDERS = [(*ELSEWHERE[k:], *ELSEWHERE[:k], ELSEWHERE[k]) for k in range(3)]
N_DEATHS = dict.fromkeys(ELSEWHERE, 1)
if IS_WHOLE:
    # Whoever dies counts: beside the experiment itself two workers, and where it begins, a machine.
    KILLS = int(os.environ.get("KILLS", "10"))
    N_DEATHS = {"local": KILLS // 2, "processes": KILLS // 4}
    N_DEATHS["ray"] = KILLS - 2 - sum(N_DEATHS.values())
    CELLS = [
        (algo, n, order)
        for order, algo, n in itertools.product(ORDERS, ("cem", "ppo", "sac", "dqn"), (1, 2, 4))
    ]
    CELLS += [("rl2", n, order) for order, n in itertools.product(ORDERS, (1, 2, 4))]
else:
    CELLS = [
        ("ppo", 2, ("processes", "ray", "local")),
        ("sac", 2, ("local", "processes", "local")),
        ("dqn", 4, ("processes", "local", "processes")),
        ("cem", 1, ("local", "processes", "local")),
        ("rl2", 2, ("processes", "local")),
    ]


@pytest.fixture(scope="module")
def ray():
    """Yield variables for a Ray that writes to a folder of its own; its path must be short."""
    folder = Path(f"/tmp/gl-moving-{os.getpid()}")
    folder.mkdir()
    yield {"HOME": str(folder), "RAY_TMPDIR": str(folder), "RAY_ADDRESS": "local"}
    shutil.rmtree(folder, ignore_errors=True)


class Machines:
    """A cluster of two machines beside its head, one of which may be switched off and on."""

    def __init__(self, variables: dict[str, str]) -> None:
        os.environ |= variables
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self._nodes = [self._cluster.add_node(num_cpus=1) for _ in range(2)]
        self.variables = {**variables, "RAY_ADDRESS": self._cluster.address}

    def switch_off(self, number: int) -> None:
        self._cluster.remove_node(self._nodes[number], allow_graceful=False)
        self._nodes[number] = None

    def switch_on(self) -> None:
        self._nodes = [node or self._cluster.add_node(num_cpus=1) for node in self._nodes]

    def end(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def machines(ray):
    """Yield a cluster of two machines; only where the whole matrix is asked for."""
    if not IS_WHOLE:
        yield None
        return
    pytest.importorskip("ray")
    before = dict(os.environ)
    made = Machines({**ray, "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(100 << 20)})
    yield made
    made.end()
    os.environ.clear()
    os.environ |= before


@pytest.fixture(scope="module")
def server():
    """Yield a process that has imported all, and forks experiments; one for the whole matrix."""
    if not IS_WHOLE:
        yield None
        return
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", SCRIPT, "serve"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def start(server, directory: Path, variables: dict[str, str], *arguments: object) -> int:
    directory.mkdir(exist_ok=True)
    words = list(map(str, arguments))
    if server is not None and words[0] != "rl2":  # TensorFlow bears no fork
        asked = {"cwd": str(directory), "variables": variables, "arguments": words}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        return int(server.stdout.readline())
    with (directory / "said.txt").open("a") as said:
        return subprocess.run(
            [sys.executable, "-W", "ignore", SCRIPT, *words],
            cwd=directory,
            env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
            stdout=said,
            stderr=said,
            timeout=600,
        ).returncode


def saved(directory: Path) -> int:
    return len(list((directory / RUN / "snapshots").glob("epoch_*/manifest.json")))


def switch_off_after_a_snapshot(machines: Machines, directory: Path, number: int) -> None:
    before, until = saved(directory), time.monotonic() + 120
    while saved(directory) == before and time.monotonic() < until:
        time.sleep(0.01)
    machines.switch_off(number % 2)
    with (directory / "died.txt").open("a") as file:
        file.write("node\n")


@pytest.fixture(scope="module")
def straight(tmp_path_factory, server):
    """Return a run that nothing happens to, made once for all orders."""
    made: dict[tuple[str, int], Path] = {}

    def run(algo: str, n_workers: int) -> Path:
        if (algo, n_workers) not in made:
            directory = tmp_path_factory.mktemp(f"{algo}-{n_workers}")
            assert start(server, directory, {}, algo, "local", n_workers) == 0
            made[algo, n_workers] = directory / RUN
        return made[algo, n_workers]

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algo", "n_workers", "order"), CELLS, ids=[f"{a}-{n}-{'-'.join(o)}" for a, n, o in CELLS]
)
def test_a_run_may_move_and_all_may_die(
    algo, n_workers, order, tmp_path, ray, machines, server, straight
):
    if "ray" in order:
        pytest.importorskip("ray")
    if algo == "rl2":
        pytest.importorskip("tensorflow")
    unmoved, moved = straight(algo, n_workers), tmp_path / "moved"
    variables = ray if machines is None else machines.variables
    for number, where in enumerate(order[:-1]):
        for death in range(N_DEATHS[where] - 1, -1, -1):
            seed = "soon" if death else f"{algo} {n_workers} {number}"
            breaking = None
            if machines is not None and where == "ray" and order[0] == "ray":
                breaking = threading.Thread(
                    target=switch_off_after_a_snapshot, args=(machines, moved, n_workers)
                )
                moved.mkdir(exist_ok=True)
                breaking.start()
            status = start(server, moved, variables, algo, where, n_workers, seed)
            if breaking is not None:
                breaking.join()
                machines.switch_on()
            assert status == -signal.SIGKILL, (moved / "said.txt").read_text()
    status = start(server, moved, variables, algo, order[-1], n_workers)
    assert status == 0, (moved / "said.txt").read_text()
    died = (moved / "died.txt").read_text().split()
    print(f"{algo} {n_workers} {'-'.join(order)}: {len(died)} died: {' '.join(died)}")
    if IS_WHOLE:
        assert len(died) >= KILLS - 1
    log = (moved / RUN / "debug.log").read_text()
    assert log.count("Restore from snapshot") >= len(order) - 1
    assert "numerical" not in log
    ours, theirs = arrays(unmoved), arrays(moved / RUN)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(moved / RUN) == rows(unmoved)


def in_session(number: int) -> list[str]:
    """Return the titles of processes of a session, zombies among them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            title, _, rest = (process / "stat").read_text().rpartition(")")
            if int(rest.split()[3]) == number:
                found.append(title)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("where", ["processes", "ray"])
def test_a_run_that_is_stopped_leaves_no_process_behind_and_goes_on(where, tmp_path, ray):
    if where == "ray":
        pytest.importorskip("ray")
    unmoved, stopped = tmp_path / "unmoved", tmp_path / "stopped"
    assert start(None, unmoved, {}, "ppo", "local", 2) == 0
    stopped.mkdir()
    variables = {"OMP_NUM_THREADS": "1", "SLOWLY": "1", **ray}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        before, until = saved(stopped), time.monotonic() + 90
        with (stopped / "said.txt").open("a") as said:
            run = subprocess.Popen(
                [sys.executable, "-W", "ignore", SCRIPT, "ppo", where, "2"],
                cwd=stopped,
                env={**os.environ, **variables},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        while saved(stopped) == before and time.monotonic() < until:
            time.sleep(0.01)
        if number == signal.SIGINT:  # a terminal's, which all of its processes hear
            os.killpg(run.pid, number)
        else:
            run.send_signal(number)
        expected = -number if number == signal.SIGKILL else 128 + number
        assert run.wait(60) == expected, (stopped / "said.txt").read_text()
        until = time.monotonic() + 20
        while in_session(run.pid) and time.monotonic() < until:
            time.sleep(0.1)
        assert in_session(run.pid) == []
    assert start(None, stopped, ray, "ppo", where, 2) == 0
    assert "Restore from snapshot" in (stopped / RUN / "debug.log").read_text()
    assert arrays(stopped / RUN) == arrays(unmoved / RUN)
    assert rows(stopped / RUN) == rows(unmoved / RUN)
