"""Workers as actors of a Ray cluster: LocalSampler's bits, whatever dies."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from garage_like.envs import GymEnv
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import RaySampler, ray_keeper

SCRIPT = Path(__file__).parent / "actors_of_ray.py"


@pytest.fixture
def folder(tmp_path):
    """Return a short path, as Ray's sockets need, for all that Ray writes; end what is left."""
    path = Path(f"/tmp/gl-ray-{os.getpid()}")
    path.mkdir()
    yield path
    for process in of_ray(path):
        os.kill(int(process.split()[0]), signal.SIGKILL)
    shutil.rmtree(path)


def of_ray(folder: Path) -> list[str]:
    """Return the processes that keep something open in a folder, as all that Ray starts do."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(link.readlink()).startswith(f"{folder}/"):
                found.add(int(link.parts[2]))
    return [f"{process} {name_of(process)}" for process in sorted(found)]


def name_of(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text().strip()
    return "ended"


def said_by(what: str, folder: Path) -> dict:
    variables = {
        "OMP_NUM_THREADS": "1",
        "HOME": str(folder),
        "RAY_TMPDIR": str(folder),
        "RAY_ADDRESS": "local",
        "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(200 << 20),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, SCRIPT, what],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout
    return json.loads(lines[-1])


@pytest.mark.slow
def test_bits_are_those_of_the_local_sampler_and_nothing_outlives_a_killed_parent(folder):
    pytest.importorskip("ray")
    said = said_by("actors", folder)
    assert [said[kind] for kind in ("default", "fragment", "vec")] == [[True]] * 3
    equal, warning = said["killed"]
    assert equal
    assert warning.startswith("worker 1 died (")
    assert "repeats its share" in warning
    assert said["failing"] == ["KeyError: 'no such road'", True]
    assert said["global"][0].startswith("RuntimeError: numpy.random: ")
    assert said["signals"] == ["told"]
    until = time.monotonic() + 30
    while of_ray(folder) and time.monotonic() < until:
        time.sleep(0.2)
    assert of_ray(folder) == []


@pytest.mark.slow
def test_a_machine_that_dies_takes_nothing_along(folder):
    pytest.importorskip("ray")
    equal, *warnings = said_by("node", folder)["node"]
    assert equal
    assert warnings
    assert all("died" in warning for warning in warnings)


def test_a_child_is_known_by_its_parent_where_a_title_has_taken_its_mark():
    mark = f"MARK=of-{os.getpid()}"
    parent = subprocess.Popen(
        ["bash", "-c", f"env -i {shutil.which('sleep')} 300 & echo $!; wait"],
        env={**os.environ, "MARK": mark.removeprefix("MARK=")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        known = ray_keeper.family({}, mark.encode())
        parent.kill()
    orphan = ray_keeper.family(known, mark.encode())
    os.kill(child, signal.SIGKILL)
    assert set(known) == {parent.pid, child}
    assert orphan == {child: known[child]}
    assert ray_keeper.family({child: "another's start"}, mark.encode()) == {}


def test_no_ray_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    env = GymEnv("CartPole-v1")
    sampler = RaySampler(CategoricalMLPPolicy(env.spec), env)
    with pytest.raises(ModuleNotFoundError, match=r"pip install '\.\[ray\]'"):
        sampler.obtain_samples(0, 10)
