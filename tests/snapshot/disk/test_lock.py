"""One writer per run directory: the second is told who the first is, and death frees the lock."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from garage_like.envs import GymEnv
from garage_like.errors import RunLockedError, SnapshotSaveError
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.disk.layout import epochs_in
from garage_like.snapshot.disk.lock import HOLDER, LOCK, RunLock
from garage_like.trainer import Trainer

HOLD = """
import sys, time
from pathlib import Path
from garage_like.snapshot.disk.lock import RunLock
lock = RunLock(Path(sys.argv[1]))
lock.acquire()
print('holding', flush=True)
time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """Another process, which holds the lock of `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "holding\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_second_process_is_told_at_once_who_holds_the_run(other_process, tmp_path):
    began = time.monotonic()
    with pytest.raises(
        RunLockedError,
        match=rf"another process is writing to this run \(process {other_process.pid} on .*\);"
        " stop it, or give this run a directory of its own",
    ):
        RunLock(tmp_path).acquire()
    assert time.monotonic() - began < 1


def test_lock_is_taken_over_after_its_holder_was_killed(other_process, tmp_path):
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    lock = RunLock(tmp_path)
    lock.acquire()
    assert json.loads((tmp_path / HOLDER).read_text())["pid"] == os.getpid()
    lock.release()


def test_failure_to_get_the_lock_leaves_the_holders_name_alone(other_process, tmp_path):
    for _ in range(2):
        with pytest.raises(RunLockedError, match=f"process {other_process.pid} on"):
            RunLock(tmp_path).acquire()


def test_lock_can_be_taken_again_after_it_was_released(tmp_path):
    lock = RunLock(tmp_path)
    for _ in range(3):
        lock.acquire()
        lock.release()
    RunLock(tmp_path).acquire()


def test_two_writers_in_one_process_exclude_each_other(tmp_path):
    first = RunLock(tmp_path)
    first.acquire()
    with pytest.raises(RunLockedError, match=f"process {os.getpid()} on"):
        RunLock(tmp_path).acquire()
    first.release()


def test_release_without_the_lock_does_nothing(other_process, tmp_path):
    RunLock(tmp_path).release()
    assert (tmp_path / HOLDER).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_holder_without_a_legible_name_is_no_trouble(content, other_process, tmp_path):
    (tmp_path / HOLDER).write_bytes(content)
    with pytest.raises(RunLockedError, match="its process number is not known"):
        RunLock(tmp_path).acquire()


def test_directory_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / LOCK).mkdir()
    with pytest.raises(SnapshotSaveError, match=rf"{tmp_path}: nothing can be written to this run"):
        RunLock(tmp_path).acquire()


def test_who_has_lost_the_run_to_another_machine_knows(tmp_path):
    lock = RunLock(tmp_path)
    lock.acquire()
    lock.check()
    (tmp_path / HOLDER).write_text("not legible")
    lock.check()
    (tmp_path / HOLDER).write_text('{"pid": 7, "host": "another"}')
    with pytest.raises(RunLockedError, match=r"writes to this run now \(process 7 on another\)"):
        lock.check()
    lock._sign()
    lock.check()
    RunLock(tmp_path)._sign()  # of the same number, on a machine of the same name
    with pytest.raises(RunLockedError, match=f"process {os.getpid()} on "):
        lock.check()


class TakenOver(CEM):
    def train_epoch(self, trainer):
        if trainer.step_itr == 2:  # the second epoch; as if a file server had freed the lock
            (trainer.run_dir / HOLDER).write_text('{"pid": 7, "host": "another"}')
        return super().train_epoch(trainer)


def test_a_run_that_another_machine_was_let_into_ends_and_saves_nothing_more(tmp_path):
    env = GymEnv("CartPole-v1", max_episode_length=10)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(2,))
    algo = TakenOver(env.spec, policy, LocalSampler(policy, env), n_samples=2, best_frac=0.5)
    config = SnapshotConfig(
        snapshot_dir=tmp_path, snapshot_mode="all", async_save=False, try_restore=False
    )
    trainer = Trainer(config)
    trainer.setup(algo, env)
    with pytest.raises(RunLockedError, match="this one has lost it and must not write any more"):
        trainer.train(n_epochs=9, batch_size=10)
    assert epochs_in(tmp_path / "snapshots") == [0]
