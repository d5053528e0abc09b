"""Whatever is wrong with a run directory or a disk: one clear error, and nothing lost."""

import errno
import importlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from garage_like.errors import (
    RunLockedError,
    SnapshotCorruptError,
    SnapshotMismatchError,
    SnapshotNotFoundError,
    SnapshotSaveError,
    SnapshotWriteError,
)
from garage_like.interfaces import RLAlgorithm
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.disk import layout, store
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.graph.walk import leaves
from garage_like.trainer import Trainer

ROOT = Path(__file__).parents[2]


class Policy:
    def __init__(self):
        self.weights = np.zeros(2000)
        self.fixed = np.arange(3.0)


class Wander(RLAlgorithm):
    def __init__(self):
        self.policy = Policy()
        self._rng = np.random.default_rng(0)

    def train_epoch(self, trainer):
        self.policy.weights += self._rng.normal(size=2000)


def trainer_of(run_dir, **options):
    options = {"snapshot_mode": "all", "async_save": False, **options}
    return Trainer(SnapshotConfig(snapshot_dir=run_dir, **options))


def train(run_dir, n_epochs=3, algo=None, **options):
    trainer = trainer_of(run_dir, **options)
    algo = algo or Wander()
    trainer.setup(algo, None)
    trainer.train(n_epochs)
    return leaves({"algo": algo})


def resume(run_dir, from_epoch="last", n_epochs=3, **options):
    trainer = trainer_of(run_dir, **options)
    trainer.restore(run_dir, from_epoch)
    trainer.resume(n_epochs=n_epochs)
    return leaves({"algo": trainer._algo})


def epochs(run_dir):
    return [read_snapshot(path).epoch for path in list_snapshots(run_dir)]


def all_verify(run_dir):
    return all(read_snapshot(path).problems() == [] for path in list_snapshots(run_dir))


def flip(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 4
    file.unlink()
    file.write_bytes(content)


@pytest.fixture
def run_dir(tmp_path):
    """A finished run of three epochs."""
    train(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The state that a run of three epochs ends with."""
    return train(tmp_path_factory.mktemp("straight") / "run")


# ---- what is asked for is not there -----------------------------------------------------------


def test_no_directory(tmp_path):
    with pytest.raises(SnapshotNotFoundError, match=r"nothing: no such directory; expected a run"):
        Trainer().restore(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == [], "a mistyped path creates nothing"


def test_empty_directory(tmp_path):
    with pytest.raises(SnapshotNotFoundError, match="the directory is empty"):
        Trainer().restore(tmp_path)


def test_foreign_files_only(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"not ours")
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "step_7.pkl").touch()
    with pytest.raises(SnapshotNotFoundError, match=r"snapshots holds step_7\.pkl"):
        Trainer().restore(tmp_path)


def test_missing_epoch(run_dir):
    with pytest.raises(SnapshotNotFoundError, match="no snapshot of epoch 9; there are 0, 1, 2"):
        Trainer().restore(run_dir, 9)


def test_epoch_of_another_kind(run_dir):
    with pytest.raises(ValueError, match="from_epoch must be an epoch, 'first', 'last' or 'best'"):
        Trainer().restore(run_dir, "newest")


# ---- what is there is damaged -----------------------------------------------------------------


FILES = (
    "objects.pkl",
    "manifest.json",
    "tensors/policy.safetensors",
    "tensors/rng.safetensors",
)


def places(file):
    size = file.stat().st_size
    return sorted({0, 1, 9, size // 3, size // 2, size - 2, size - 1})


def test_snapshot_has_no_other_files(run_dir):
    snapshot = run_dir / "snapshots/epoch_000002"
    found = {str(p.relative_to(snapshot)) for p in snapshot.rglob("*") if p.is_file()}
    assert found == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_flipped_bit_anywhere_is_passed_over_and_the_run_ends_the_same(
    name, run_dir, straight, tmp_path
):
    file = run_dir / "snapshots/epoch_000002" / name
    for number, place in enumerate(places(file)):
        copy = tmp_path / f"copy_{number}"
        shutil.copytree(run_dir, copy)
        flip(copy / file.relative_to(run_dir), place)
        with pytest.raises(SnapshotCorruptError, match=name):
            Trainer().restore(copy, 2)
        with pytest.warns(UserWarning, match="snapshot of epoch 2 is damaged and is passed over"):
            assert resume(copy) == straight
        assert epochs(copy) == [0, 1, 2]
        assert all_verify(copy)
        assert (copy / "snapshots/epoch_000002.corrupt-1").is_dir(), "set aside, not lost"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_truncated_file_is_passed_over(name, size, run_dir, straight):
    file = run_dir / "snapshots/epoch_000002" / name
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:size])
    with pytest.raises(SnapshotCorruptError, match=name):
        Trainer().restore(run_dir, 2)
    with pytest.warns(UserWarning, match="going back to epoch 1"):
        assert resume(run_dir) == straight


def test_missing_file_is_passed_over(run_dir, straight):
    (run_dir / "snapshots/epoch_000002/objects.pkl").unlink()
    with pytest.warns(UserWarning, match=r"objects\.pkl: cannot be read"):
        assert resume(run_dir) == straight


def test_none_that_verifies_is_never_a_silent_fresh_start(run_dir):
    for snapshot in list_snapshots(run_dir):
        flip(snapshot / "objects.pkl", 0)
    with pytest.raises(SnapshotCorruptError, match=r"no snapshot verifies: epoch 2: .*epoch 0: "):
        train(run_dir, auto_resume=True)
    assert epochs(run_dir) == [0, 1, 2]


def test_failed_restore_leaves_the_live_algorithm_alone(run_dir):
    flip(run_dir / "snapshots/epoch_000002/objects.pkl", -1)
    algo = Wander()
    algo.policy.weights += 5
    before, random = leaves({"algo": algo}), np.random.get_state()[1].copy()
    trainer = trainer_of(run_dir)
    trainer.setup(algo, None)
    with pytest.raises(SnapshotCorruptError):
        trainer.restore(run_dir, 2)
    assert leaves({"algo": algo}) == before
    assert np.array_equal(np.random.get_state()[1], random)


def test_newer_format(run_dir, monkeypatch):
    monkeypatch.setattr("garage_like.snapshot.disk.manifest.FORMAT_VERSION", 7)
    resume(run_dir, n_epochs=4)
    monkeypatch.setattr("garage_like.snapshot.disk.manifest.FORMAT_VERSION", 2)
    with pytest.raises(
        SnapshotMismatchError, match=r"snapshot format 7 is newer than 2, .*install"
    ):
        Trainer().restore(run_dir)
    Trainer().restore(run_dir, 2)


def test_other_algorithm_than_the_one_set_up(run_dir):
    class Other(Wander):
        pass

    trainer = trainer_of(run_dir)
    trainer.setup(Other(), None)
    with pytest.raises(SnapshotMismatchError, match=r"holds .*Wander, but setup was given .*Other"):
        trainer.restore(run_dir)


# ---- the state cannot be saved ----------------------------------------------------------------


@pytest.mark.parametrize("async_save", [True, False])
def test_unpicklable_attribute_is_named_by_its_path(async_save, tmp_path):
    class Phones(Wander):
        def train_epoch(self, trainer):
            super().train_epoch(trainer)
            if trainer._stats.total_epoch == 0:
                self.policy._socket = socket.socket()

    algo = Phones()
    with pytest.raises(
        SnapshotSaveError,
        match=r"^algo\.policy\._socket cannot be pickled: TypeError: cannot pickle .*socket.*"
        "Earlier snapshots are intact$",
    ):
        train(tmp_path / "run", algo=algo, async_save=async_save)
    algo.policy._socket.close()
    assert epochs(tmp_path / "run") == [0]
    assert all_verify(tmp_path / "run")


def test_second_process_on_the_same_run(tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path;"
            "from garage_like.snapshot.disk.lock import RunLock;"
            "lock = RunLock(Path(sys.argv[1])); lock.acquire(); print(flush=True); time.sleep(60)",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert holder.stdout.readline()
        began = time.monotonic()
        with pytest.raises(RunLockedError, match=rf"process {holder.pid} on .*; stop it, or give"):
            train(tmp_path)
        assert time.monotonic() - began < 1
        assert not (tmp_path / "snapshots").exists()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    train(tmp_path)
    assert epochs(tmp_path) == [0, 1, 2]


# ---- the disk is full, read-only or broken ----------------------------------------------------


class Broken(FileSystem):
    """Fail with an error of the system, half-way into the files of some epochs."""

    epochs = ()
    error = errno.ENOSPC

    def fail(self, path):
        if any(f"{layout.SAVING}{layout.epoch_name(epoch)}" in str(path) for epoch in self.epochs):
            raise OSError(self.error, os.strerror(self.error), str(path))

    def make_dir(self, path):
        if self.error == errno.EROFS:
            self.fail(path)
        super().make_dir(path)

    def write_file(self, path, pieces):
        pieces = list(pieces)
        super().write_file(path, pieces[:1])
        self.fail(path)
        path.unlink()
        super().write_file(path, pieces)


@pytest.fixture
def broken(monkeypatch):
    """Return a function that breaks the disk for the snapshots of some epochs."""
    monkeypatch.setattr(store, "FileSystem", Broken)

    def break_disk(error, *epochs):
        monkeypatch.setattr(Broken, "error", error)
        monkeypatch.setattr(Broken, "epochs", epochs)

    return break_disk


@pytest.mark.parametrize("async_save", [True, False])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.ESTALE, errno.EMFILE])
def test_training_goes_on_while_nothing_can_be_written(error, async_save, broken, tmp_path):
    broken(error, 1, 2)
    with pytest.warns(
        UserWarning,
        match=rf"a snapshot could not be saved: .*\[Errno {error}\].*snapshots are intact",
    ) as warned:
        train(tmp_path / "run", 5, async_save=async_save)
    assert len(warned) == 2
    assert epochs(tmp_path / "run") == [0, 3, 4], "saved again once the disk is mended"
    assert all_verify(tmp_path / "run")
    names = {p.name for p in (tmp_path / "run/snapshots").iterdir()}
    assert names == {"epoch_000000", "epoch_000003", "epoch_000004"}, "nothing half-written is left"


@pytest.mark.parametrize("async_save", [True, False])
@pytest.mark.parametrize(
    "place",
    ["staging.Staging.copy", "disk.manifest.Manifest.to_bytes", "capture.GraphPickler.save"],
)
def test_want_of_memory_costs_a_snapshot_and_never_the_run(
    place, async_save, monkeypatch, tmp_path
):
    module, owner, name = f"garage_like.snapshot.{place}".rsplit(".", 2)
    cls = getattr(importlib.import_module(module), owner)
    real, state = getattr(cls, name), {"on": False}

    def wanting(self, *args):
        if state["on"]:
            raise MemoryError
        return real(self, *args)

    class Hungry(Wander):
        def train_epoch(self, trainer):
            super().train_epoch(trainer)
            trainer._session.wait()
            state["on"] = trainer._stats.total_epoch == 0

    monkeypatch.setattr(cls, name, wanting)
    with pytest.warns(UserWarning, match="a snapshot could not be saved: .*memory"):
        train(tmp_path / "run", 4, algo=Hungry(), async_save=async_save)
    assert epochs(tmp_path / "run") == [0, 2, 3]


@pytest.mark.parametrize("async_save", [True, False])
def test_training_ends_at_the_next_safe_point_where_failures_are_to_raise(
    async_save, broken, straight, tmp_path
):
    broken(errno.ENOSPC, 1)
    with pytest.raises(SnapshotWriteError, match=r"epoch_000001: the snapshot could not be wri"):
        train(tmp_path / "run", 3, async_save=async_save, on_save_error="raise")
    assert 0 in epochs(tmp_path / "run")
    assert 1 not in epochs(tmp_path / "run")
    broken(errno.ENOSPC)
    assert resume(tmp_path / "run") == straight


def test_training_that_fails_for_another_reason_says_so_and_not_that_saving_failed(
    broken, tmp_path
):
    class Fails(Wander):
        def train_epoch(self, trainer):
            super().train_epoch(trainer)
            if trainer._stats.total_epoch == 1:
                raise ZeroDivisionError("of its own")

    broken(errno.ENOSPC, 1)
    with (
        pytest.warns(UserWarning, match="a snapshot could not be saved"),
        pytest.raises(ZeroDivisionError, match="of its own"),
    ):
        train(tmp_path / "run", algo=Fails(), async_save=True, on_save_error="raise")


@pytest.mark.parametrize("async_save", [True, False])
def test_failures_are_counted_in_a_metric(async_save, broken, tmp_path):
    rows = []

    class Looks(Wander):
        def train_epoch(self, trainer):
            super().train_epoch(trainer)
            rows.append(trainer._last_row.get("Snapshot/Failures"))

    broken(errno.ENOSPC, 1)
    with pytest.warns(UserWarning, match="a snapshot could not be saved"):
        train(tmp_path / "run", 6, algo=Looks(), async_save=async_save)
    assert sum(filter(None, rows)) == 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS])
def test_previous_snapshot_is_intact_after_a_failure_and_resumes_exactly(
    error, broken, straight, tmp_path
):
    train(tmp_path / "run", 1)
    broken(error, 1, 2)
    with pytest.warns(UserWarning, match="a snapshot could not be saved"):
        resume(tmp_path / "run")
    assert epochs(tmp_path / "run") == [0]
    broken(error)
    assert resume(tmp_path / "run") == straight


FULL_DISK = """
import resource, signal, sys, warnings
sys.path.insert(0, sys.argv[2])
import test_bad_input as t

def limit(nbytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, resource.RLIM_INFINITY))

class FillsTheDisk(t.Wander):
    def train_epoch(self, trainer):
        super().train_epoch(trainer)
        full = trainer._stats.total_epoch + 1 in (1, 2)
        limit(5000 if full else resource.RLIM_INFINITY)

from pathlib import Path
run_dir = Path(sys.argv[1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    t.train(run_dir, 5, FillsTheDisk(), async_save=False)
messages = [str(w.message) for w in caught if 'snapshot' in str(w.message)]
assert len(messages) == 2, messages
assert all('File too large' in m and 'snapshots are intact' in m for m in messages), messages
limit = lambda nbytes: None
assert t.epochs(run_dir) == [0, 3, 4] and t.all_verify(run_dir)
assert t.resume(run_dir, 0, 5) == t.train(run_dir.with_name('straight'), 5, FillsTheDisk())
"""


def test_disk_that_takes_no_more_bytes(run_python, tmp_path):
    run_python(FULL_DISK, tmp_path / "run", Path(__file__).parent)


READ_ONLY = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_bad_input as t

disk = Path(sys.argv[1])
def mount(*options):
    subprocess.run(['mount', *options, str(disk)], check=True)
try:
    mount('-t', 'tmpfs', 'tmpfs')
except (OSError, subprocess.CalledProcessError):
    print('cannot mount')
    sys.exit()
straight = t.train(disk.with_name('straight'))
t.train(disk / 'run', 2)
mount('-o', 'remount,ro')
for start in (lambda: t.resume(disk / 'run'), lambda: t.train(disk / 'run', auto_resume=True)):
    try:
        start()
        raise SystemExit('expected an error')
    except t.SnapshotSaveError as error:
        assert 'nothing can be written to this run' in str(error), error
        assert 'Read-only file system' in str(error), error
assert t.epochs(disk / 'run') == [0, 1] and t.all_verify(disk / 'run')
trainer = t.trainer_of(disk.with_name('elsewhere'))
trainer.restore(disk / 'run')
trainer.resume(n_epochs=3)
assert t.leaves({'algo': trainer._algo}) == straight, 'it resumes into another directory'
mount('-o', 'remount,rw')
assert t.resume(disk / 'run') == straight
"""


def test_read_only_disk(run_python, tmp_path):
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare(1) to mount a disk of its own")
    (tmp_path / "disk").mkdir()
    script = tmp_path / "script.py"
    script.write_text(READ_ONLY)
    ran = subprocess.run(
        [
            "unshare",
            "--mount",
            sys.executable,
            str(script),
            str(tmp_path / "disk"),
            str(Path(__file__).parent),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "cannot mount" in ran.stdout or "unshare failed" in ran.stderr:
        pytest.skip("this user may not mount a disk; EROFS is tested above all the same")
    assert ran.returncode == 0, ran.stderr
