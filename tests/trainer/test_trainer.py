import contextlib
import csv
import gc
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from garage_like.errors import (
    NotSetupError,
    RunLockedError,
    SnapshotMismatchError,
    SnapshotNotFoundError,
)
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.logging import RunLogs, logger, tabular
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.lock import RunLock
from garage_like.snapshot.rng import hidden_random_numbers
from garage_like.trainer import Trainer


class RandomWalk(RLAlgorithm):
    """Walk at random: all the state that a run has, and none of the work."""

    def __init__(self, size=3):
        self.position = np.zeros(size)
        self.policy = None
        self._rng = np.random.default_rng(0)

    def train_epoch(self, trainer):
        self.position += self._rng.normal(size=self.position.shape) + np.random.rand()
        tabular.record("Position", float(self.position[0]))
        trainer.step_itr += 1
        return float(self.position.sum())


class SlowWalk(RandomWalk):
    def train_epoch(self, trainer):
        os.kill(os.getpid(), signal.SIGTERM) if trainer.step_itr == 1 else None
        return super().train_epoch(trainer)


@pytest.fixture
def run(tmp_path):
    """Start stretches of a run in one directory, each with its logs open as long as it lasts."""
    opened = []

    def start(name="run", *, existing=None, **options):
        directory = tmp_path / name
        known = directory.exists() if existing is None else existing
        opened.append(RunLogs(directory, existing=known, console=False))
        return Trainer(SnapshotConfig(snapshot_dir=directory, **options))

    yield start
    for logs in opened:
        logs.close()


def column(path, name="Position"):
    with open(path, newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def epochs(run_dir):
    return [read_snapshot(path).epoch for path in list_snapshots(run_dir)]


def test_train_returns_what_the_last_epoch_returned(run):
    trainer, algo = run(), RandomWalk()
    trainer.setup(algo, None)
    assert trainer.train(3) == algo.position.sum()


def test_train_without_setup_says_what_to_do(run):
    with pytest.raises(NotSetupError, match=r"call setup\(algo, env\) or restore\(dir\) first"):
        run().train(1)


def test_save_without_setup_says_what_to_do(run):
    with pytest.raises(NotSetupError, match="nothing to save"):
        run().save(0)


def test_resume_without_restore_says_what_to_do(run):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    with pytest.raises(NotSetupError, match=r"call restore\(dir\) first"):
        trainer.resume()


def test_setup_refuses_what_cannot_train(run):
    with pytest.raises(TypeError, match="must have a train"):
        run().setup(object(), None)


def test_trainer_refuses_a_config_of_another_type():
    with pytest.raises(TypeError, match=r"must be a SnapshotConfig.*got 'here'"):
        Trainer("here")


def test_trainer_without_config_trains_and_saves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trainer = Trainer()
    trainer.setup(RandomWalk(), None)
    assert trainer.train(2) is not None
    assert list(tmp_path.iterdir()) == []
    assert re.search(r"Position +\d", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_epochs": -1}, ValueError, "n_epochs must be at least 0, got -1"),
        ({"n_epochs": 1.5}, TypeError, "n_epochs must be an integer, got 1.5"),
        ({"n_epochs": 1, "batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
    ],
)
def test_bad_numbers_are_refused_before_anything_is_written(
    run, tmp_path, arguments, error, message
):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    with pytest.raises(error, match=message):
        trainer.train(**arguments)
    assert not (tmp_path / "run" / "snapshots").exists()


def test_zero_epochs_are_zero_and_not_unset(run, tmp_path):
    trainer, algo = run(), RandomWalk()
    trainer.setup(algo, None)
    assert trainer.train(0) is None
    assert not algo.position.any()
    assert not (tmp_path / "run" / "progress.csv").exists()


def test_resume_goes_on_from_the_last_epoch(run, tmp_path):
    for name, n_epochs in (("whole", 5), ("stopped", 2)):
        np.random.seed(0)
        trainer = run(name)
        trainer.setup(RandomWalk(), None)
        trainer.train(n_epochs)
    resumed = run("stopped")
    args = resumed.restore(tmp_path / "stopped")
    assert (args.n_epochs, args.start_epoch) == (2, 2)
    resumed.resume(n_epochs=5)
    table = column(tmp_path / "stopped" / "progress.csv")
    assert table == column(tmp_path / "whole" / "progress.csv")


def test_additional_epochs_count_from_the_snapshot(run, tmp_path):
    trainer = run(snapshot_mode="all")
    trainer.setup(RandomWalk(), None)
    trainer.train(3)
    again = run(snapshot_mode="all")
    again.restore(tmp_path / "run")
    again.resume(additional_epochs=2)
    assert epochs(tmp_path / "run") == [0, 1, 2, 3, 4]


def test_total_and_additional_epochs_together_are_refused(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(1)
    trainer.restore(tmp_path / "run")
    with pytest.raises(ValueError, match=r"n_epochs \(in total, 5\) or additional_epochs \(2\)"):
        trainer.resume(5, additional_epochs=2)


def test_finished_run_says_that_nothing_is_left_to_do(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(2)
    before = (tmp_path / "run" / "progress.csv").read_bytes()
    trainer.restore(tmp_path / "run")
    assert trainer.resume() is None
    logger.dump_all()
    assert "Nothing is left to do: the run has 2 epochs" in log_of(tmp_path / "run")
    assert (tmp_path / "run" / "progress.csv").read_bytes() == before


def log_of(run_dir):
    return (run_dir / "debug.log").read_text()


def test_restore_logs_arguments_and_counters(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(10, batch_size=10_000)
    other = run("other")
    other.restore(tmp_path / "run")
    other.resume(n_epochs=11)
    logger.dump_all()
    lines = [line.split(" | ")[-1].strip() for line in log_of(tmp_path / "other").splitlines()]
    expected = [
        "-- Train Args --     -- Value --",
        f"{'n_epochs':<20} 10",
        f"{'last_epoch':<20} 9",
        f"{'batch_size':<20} 10000",
        f"{'store_episodes':<20} 0",
        f"{'pause_for_plot':<20} 0",
        "-- Stats --          -- Value --",
        f"{'last_itr':<20} 10",
        f"{'total_env_steps':<20} 0",
    ]
    start = lines.index("-- Train Args --     -- Value --")
    assert lines[start : start + len(expected)] == expected
    assert "epoch #10 | " in log_of(tmp_path / "other")


def test_resume_in_another_directory_records_its_parent(run, tmp_path):
    trainer = run(snapshot_mode="all")
    trainer.setup(RandomWalk(), None)
    trainer.train(3)
    branch = run("branch")
    branch.restore(tmp_path / "run", from_epoch=1)
    branch.resume(n_epochs=4)
    assert read_snapshot(tmp_path / "branch").manifest.parent == {
        "run": str((tmp_path / "run").resolve()),
        "epoch": 1,
    }
    assert epochs(tmp_path / "run") == [0, 1, 2]


def test_resume_from_an_earlier_epoch_moves_later_ones_aside(run, tmp_path):
    trainer = run(snapshot_mode="all")
    trainer.setup(RandomWalk(), None)
    trainer.train(5)
    before = column(tmp_path / "run" / "progress.csv")
    again = run(snapshot_mode="all")
    again.restore(tmp_path / "run", from_epoch=1)
    again.resume(n_epochs=3)
    assert epochs(tmp_path / "run") == [0, 1, 2]
    assert column(tmp_path / "run" / "progress.csv") == before[:3]
    assert sorted(p.name for p in (tmp_path / "run/snapshots/orphan-1").iterdir()) == [
        "epoch_000002",
        "epoch_000003",
        "epoch_000004",
    ]
    assert (tmp_path / "run" / "progress.csv.orphan-1").exists()


def test_training_anew_over_the_restored_run_is_refused(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(2)
    trainer.restore(tmp_path / "run")
    with pytest.raises(ValueError, match=r"call resume\(\) to go on, or give this run a directory"):
        trainer.train(2)
    assert epochs(tmp_path / "run")[-1] == 1


def test_restored_then_trained_anew_counts_epochs_from_zero(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(2)
    other = run("other", snapshot_mode="all")
    other.restore(tmp_path / "run")
    other.train(2)
    assert epochs(tmp_path / "other") == [0, 1]
    assert read_snapshot(tmp_path / "other").manifest.parent["epoch"] == 1


def test_restore_loads_into_the_objects_that_were_set_up(run, tmp_path):
    trainer, first = run(), RandomWalk()
    trainer.setup(first, None)
    trainer.train(2)
    other, live = run("other"), RandomWalk()
    other.setup(live, None)
    other.restore(tmp_path / "run")
    assert np.array_equal(live.position, first.position)
    other.resume(n_epochs=3)
    assert not np.array_equal(live.position, first.position)


def test_restore_refuses_another_algorithm(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(1)
    other, live = run("other"), SlowWalk()
    other.setup(live, None)
    with pytest.raises(
        SnapshotMismatchError, match=r"holds .*RandomWalk, but setup was given SlowWalk"
    ):
        other.restore(tmp_path / "run")
    assert not live.position.any()


def test_auto_resume_starts_from_nothing_where_nothing_was_saved(run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "progress.csv").write_text("Position\n1.0\n")
    trainer = run(auto_resume=True)
    trainer.setup(RandomWalk(), None)
    trainer.train(2)
    assert len(column(tmp_path / "run" / "progress.csv")) == 2
    assert (tmp_path / "run" / "progress.csv.orphan-1").read_text() == "Position\n1.0\n"
    logger.dump_all()
    assert "log of an earlier start set aside as progress.csv.orphan-1" in log_of(tmp_path / "run")


def test_auto_resume_continues_with_the_live_objects(run, tmp_path):
    np.random.seed(0)
    whole = run("whole")
    whole.setup(RandomWalk(), None)
    whole.train(4)
    np.random.seed(0)
    trainer = run(auto_resume=True)
    trainer.setup(RandomWalk(), None)
    trainer.train(2)
    again, live = run(auto_resume=True), RandomWalk()
    again.setup(live, None)
    again.train(4)
    assert column(tmp_path / "run/progress.csv") == column(tmp_path / "whole/progress.csv")
    assert live.position[0] == column(tmp_path / "run/progress.csv")[-1]


def test_missing_epoch_is_named_with_those_there_are(run, tmp_path):
    trainer = run(snapshot_mode="all")
    trainer.setup(RandomWalk(), None)
    trainer.train(3)
    with pytest.raises(SnapshotNotFoundError, match="no snapshot of epoch 7; there are 0, 1, 2"):
        trainer.restore(tmp_path / "run", from_epoch=7)


@pytest.mark.parametrize("from_epoch", ["latest", -1, 1.0, None, True])
def test_from_epoch_that_means_nothing_is_refused(run, tmp_path, from_epoch):
    with pytest.raises(ValueError, match="from_epoch must be an epoch, 'first', 'last' or 'best'"):
        run().restore(tmp_path, from_epoch)


def test_best_epoch_is_judged_by_the_metric(run, tmp_path):
    trainer, algo = run(snapshot_mode="all", best_metric="Position"), RandomWalk()
    trainer.setup(algo, None)
    trainer.train(6)
    table = column(tmp_path / "run" / "progress.csv")
    trainer.restore(tmp_path / "run", from_epoch="best")
    assert trainer._algo.position[0] == max(table)


def test_second_process_on_the_same_run_is_refused(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    script = (
        "import sys, pathlib; from garage_like.snapshot.disk.lock import RunLock;"
        "lock = RunLock(pathlib.Path(sys.argv[1])); lock.acquire(); print('held', flush=True);"
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        began = time.monotonic()
        with pytest.raises(RunLockedError, match=f"process {holder.pid} on"):
            trainer.train(1)
        assert time.monotonic() - began < 5
        holder.stdin.close()
    assert trainer.train(1) is not None


def test_lock_is_given_back_when_an_epoch_raises(run, tmp_path):
    class Failing(RandomWalk):
        def train_epoch(self, trainer):
            raise ArithmeticError("no")

    trainer = run()
    trainer.setup(Failing(), None)
    with pytest.raises(ArithmeticError):
        trainer.train(1)
    lock = RunLock(tmp_path / "run")
    lock.acquire()
    lock.release()


def test_sigterm_finishes_the_epoch_saves_and_says_how_to_resume(run, tmp_path, capsys):
    trainer = run(snapshot_mode="gap", snapshot_gap=100)
    trainer.setup(SlowWalk(), None)
    with pytest.raises(SystemExit) as stopped:
        trainer.train(5)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert epochs(tmp_path / "run") == [0, 1]
    assert len(column(tmp_path / "run" / "progress.csv")) == 2
    output = capsys.readouterr().out
    assert "SIGTERM: finishing the epoch and saving" in output
    assert f"garage-like resume {os.path.relpath(tmp_path / 'run')}" in output
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_worker_that_the_loop_forked_ends_when_it_is_told_to(run):
    class Forking(RandomWalk):
        def train_epoch(self, trainer):
            child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
            child.start()
            os.kill(child.pid, signal.SIGINT)  # a group hears it; its loop needs the worker yet
            child.join(0.2)
            assert child.is_alive()
            child.terminate()
            child.join(10)
            assert child.exitcode == -signal.SIGTERM
            return super().train_epoch(trainer)

    trainer = run(snapshot_mode="none")
    trainer.setup(Forking(), None)
    trainer.train(1)


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2", "SIGHUP", "SIGXCPU"])
def test_signals_of_a_scheduler_do_as_sigterm_does(run, request, tmp_path, capsys, name):
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # under nohup, SIGHUP is ignored
    request.addfinalizer(lambda: signal.signal(number, before))

    class Warned(RandomWalk):
        def train_epoch(self, trainer):
            if trainer._stats.total_epoch == 0:
                os.kill(os.getpid(), number)
            return super().train_epoch(trainer)

    trainer = run()
    trainer.setup(Warned(), None)
    with pytest.raises(SystemExit) as stopped:
        trainer.train(5)
    assert stopped.value.code == 128 + number
    assert epochs(tmp_path / "run")[-1] == 1
    assert "garage-like resume" in capsys.readouterr().out
    assert signal.getsignal(number) == signal.SIG_DFL


def test_signal_that_the_script_handles_is_left_to_it(run):
    heard = []

    class Warned(RandomWalk):
        def train_epoch(self, trainer):
            os.kill(os.getpid(), signal.SIGUSR1)
            return super().train_epoch(trainer)

    before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    try:
        trainer = run()
        trainer.setup(Warned(), None)
        trainer.train(2)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1] * 2


def test_second_ctrl_c_does_not_wait_for_a_slow_disk(run, monkeypatch):
    slow = threading.Event()
    monkeypatch.setattr(FileSystem, "sync_file", lambda self, descriptor: slow.wait(30))

    class Impatient(RandomWalk):
        def train_epoch(self, trainer):
            if trainer._stats.total_epoch == 0:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
            return super().train_epoch(trainer)

    trainer = run(async_save=True)
    trainer.setup(Impatient(), None)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        trainer.train(5)
    assert time.monotonic() - began < 10
    slow.set()
    trainer._session.wait()


def test_second_ctrl_c_stops_at_once(run, tmp_path):
    class Impatient(RandomWalk):
        def train_epoch(self, trainer):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)

    trainer = run()
    trainer.setup(Impatient(), None)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(5)
    assert epochs_or_none(tmp_path / "run") == []


def epochs_or_none(run_dir):
    try:
        return epochs(run_dir)
    except SnapshotNotFoundError:
        return []


def test_batch_size_that_nobody_gave_is_asked_for(run):
    class Collecting(RandomWalk):
        def __init__(self):
            super().__init__()
            self._sampler = NeverAsked()

        def train_epoch(self, trainer):
            trainer.obtain_episodes(trainer.step_itr)

    class NeverAsked:
        def start_worker(self):
            pass

        def shutdown_worker(self):
            pass

    trainer = run()
    trainer.setup(Collecting(), None)
    with pytest.raises(ValueError, match=r"expected train\(n_epochs, batch_size=...\)"):
        trainer.train(1)


def test_algorithm_without_sampler_that_asks_for_episodes_is_told(run):
    class Asking(RandomWalk):
        def train_epoch(self, trainer):
            trainer.obtain_episodes(0)

    trainer = run()
    trainer.setup(Asking(), None)
    with pytest.raises(NotSetupError, match="has no sampler; make it with sampler="):
        trainer.train(1, batch_size=10)


def test_algorithm_that_keeps_its_trainer_is_told(run):
    class Keeping(RandomWalk):
        def train_epoch(self, trainer):
            self.trainer = trainer
            return super().train_epoch(trainer)

    trainer = run()
    trainer.setup(Keeping(), None)
    with pytest.raises(
        Exception, match=r"algo\.trainer cannot be pickled: TypeError: a Trainer is not"
    ):
        trainer.train(1)


def test_loop_of_ones_own_is_resumed_too(run, tmp_path):
    class OwnLoop(RandomWalk):
        def train(self, trainer):
            for epoch in trainer.step_epochs():
                self.position += np.random.normal(size=3)
                tabular.record("Position", float(self.position[0]))
                self.seen = [*getattr(self, "seen", []), epoch]
            return self.seen

    trainer = run()
    trainer.setup(OwnLoop(), None)
    trainer.train(3)
    again = run()
    again.restore(tmp_path / "run")
    assert again.resume(n_epochs=5) == [0, 1, 2, 3, 4]


def test_manifest_tells_what_the_run_is(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(2, batch_size=7)
    manifest = json.loads((tmp_path / "run/snapshots/epoch_000001/manifest.json").read_text())
    assert manifest["epoch"] == 1
    assert manifest["classes"]["algo"].endswith("RandomWalk")
    assert manifest["train_args"]["batch_size"] == 7
    assert manifest["metrics"]["Position"] == column(tmp_path / "run" / "progress.csv")[-1]
    assert manifest["reasons"] == hidden_random_numbers()  # which other tests may have drawn
    assert manifest["exact"] is (not manifest["reasons"])
    assert manifest["fingerprint"]["versions"]["numpy"] == np.__version__
    assert (
        Path(tmp_path / "run" / "progress.csv").stat().st_size == manifest["logs"]["progress.csv"]
    )


class Stopping(RandomWalk):
    """Leave the loop by itself: at the end of an epoch, at its beginning, or by an error."""

    def __init__(self, how, at):
        super().__init__()
        self.how, self.at, self.count = how, at, 0

    def train(self, trainer):
        for epoch in trainer.step_epochs():
            if self.how == "begin" and epoch == self.at:
                return
            self.epoch(trainer)
            if self.how == "raise" and epoch == self.at:
                raise ZeroDivisionError("in an epoch")
            if self.how == "exit" and epoch == self.at:
                raise SystemExit(3)
            if self.how == "break" and epoch == self.at:
                break

    def epoch(self, trainer):
        self.count += 1
        self.train_epoch(trainer)


class QuietlyStopping(Stopping):
    """Change in an epoch what only a look at the object tells."""

    def epoch(self, trainer):
        self.count += 1


MODES = [
    {"snapshot_mode": "last"},
    {"snapshot_mode": "gap", "snapshot_gap": 10},
    {"snapshot_mode": "gap_overwrite", "snapshot_gap": 10},
    {"snapshot_mode": "gap_and_last", "snapshot_gap": 10},
    {"snapshot_mode": "last", "snapshot_gap": "auto"},
    {"snapshot_mode": "gap", "snapshot_gap": 10, "log_interval": 10},
    {"snapshot_mode": "all", "log_interval": 10},
    {"snapshot_mode": "last", "max_stall": 1e-9},
]
LEAVINGS = {"break": 7, "begin": 6, "raise": 6, "exit": 6}


@pytest.fixture
def time_to_hold(monkeypatch):
    """Let a busy machine hold states too: where there is no time, another test tells."""
    monkeypatch.setattr("garage_like.snapshot.snapshotter.HELD_SECONDS", 10.0)


@pytest.mark.usefixtures("time_to_hold")
@pytest.mark.parametrize("options", MODES, ids=str)
@pytest.mark.parametrize(("how", "last"), LEAVINGS.items())
def test_loop_that_ends_early_keeps_its_last_epoch(run, tmp_path, options, how, last):
    trainer = run(**options)
    trainer.setup(Stopping(how, 7), None)
    np.random.seed(3)
    with contextlib.suppress(ZeroDivisionError, SystemExit):
        trainer.train(100)
    np.random.seed(3)
    straight = RandomWalk()
    again = run("straight", snapshot_mode="all")
    again.setup(straight, None)
    again.train(last + 1)
    assert epochs(tmp_path / "run")[-1] == last
    assert (
        column(tmp_path / "run" / "progress.csv")[-1]
        == column(tmp_path / "straight" / "progress.csv")[-1]
    )
    restored = run("more")
    restored.restore(tmp_path / "run")
    assert (restored.algo.position == straight.position).all()
    assert restored.algo.count == last + 1


@pytest.mark.usefixtures("time_to_hold")
@pytest.mark.parametrize("options", MODES, ids=str)
@pytest.mark.parametrize(("how", "last"), LEAVINGS.items())
def test_what_a_broken_off_epoch_changed_is_seen_in_the_objects(run, tmp_path, options, how, last):
    trainer = run(**options)
    trainer.setup(QuietlyStopping(how, 7), None)
    with contextlib.suppress(ZeroDivisionError, SystemExit):
        trainer.train(100)
    assert epochs(tmp_path / "run")[-1] == last
    restored = run("more")
    restored.restore(tmp_path / "run")
    assert restored.algo.count == last + 1


def test_loop_that_ends_at_once_when_it_is_resumed_adds_nothing(run, tmp_path):
    trainer = run()
    trainer.setup(Stopping("begin", 7), None)
    trainer.train(100)
    rows = column(tmp_path / "run" / "progress.csv")
    for _ in range(2):
        again = run()
        again.restore(tmp_path / "run")
        again.resume(n_epochs=100)
    assert epochs(tmp_path / "run")[-1] == 6
    assert column(tmp_path / "run" / "progress.csv") == rows


def test_error_after_epochs_too_short_to_be_held_names_the_snapshot(run, tmp_path, monkeypatch):
    monkeypatch.setattr("garage_like.snapshot.snapshotter.HELD_SECONDS", 0.0)
    trainer = run(snapshot_mode="gap", snapshot_gap=5, log_interval=5, max_stall=1e-9)
    trainer.setup(Stopping("raise", 9), None)
    with pytest.raises(ZeroDivisionError):
        trainer.train(100)
    assert len(column(tmp_path / "run" / "progress.csv")) == 3
    assert "a resume goes on after epoch #5" in (tmp_path / "run" / "debug.log").read_text()


@pytest.mark.parametrize("mode", ["last", "all", "gap"])
def test_save_after_training_returns_when_it_is_durable(run, tmp_path, mode):
    trainer = run(snapshot_mode=mode)
    trainer.setup(RandomWalk(), None)
    trainer.train(2)
    trainer.save(7)
    assert epochs(tmp_path / "run")[-1] == 7
    lock = RunLock(tmp_path / "run")
    lock.acquire()
    lock.release()


def test_save_that_is_not_kept_says_so(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(3)
    trainer.save(7)
    trainer.save(0)
    assert 0 not in epochs(tmp_path / "run")
    assert "No snapshot of epoch #0 was kept" in (tmp_path / "run" / "debug.log").read_text()


def test_save_without_config_says_that_nothing_is_saved(capsys):
    trainer = Trainer()
    trainer.setup(RandomWalk(), None)
    trainer.train(1)
    trainer.save(0)
    assert "no snapshot of epoch #0, since saving is switched off" in capsys.readouterr().out


class Wandering(RandomWalk):
    """Change the working directory in the middle of the run."""

    def train_epoch(self, trainer):
        if trainer.step_itr == 1:
            os.chdir("/")
        return super().train_epoch(trainer)


@pytest.mark.parametrize("snapshot_dir", ["run", Path("run"), ""], ids=repr)
def test_run_stays_where_it_was_begun(tmp_path, monkeypatch, snapshot_dir):
    monkeypatch.chdir(tmp_path)
    trainer = Trainer(SnapshotConfig(snapshot_dir=snapshot_dir, snapshot_mode="all"))
    trainer.setup(Wandering(), None)
    trainer.train(4)
    assert len(list(tmp_path.rglob("epoch_*"))) == 4


class Removing(RandomWalk):
    """Lose the folder of snapshots while the last epoch is logged."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def train(self, trainer):
        result = super().train(trainer)
        trainer._session.wait()
        shutil.rmtree(self.folder)
        return result


def test_missing_final_snapshot_is_told_last(run, tmp_path):
    trainer = run()
    trainer.setup(Removing(tmp_path / "run" / "snapshots"), None)
    trainer.train(2)
    last = (tmp_path / "run" / "debug.log").read_text().splitlines()[-1]
    assert "The last snapshot, of epoch #1, is missing" in last


def test_ten_snapshots_of_auto_are_kept_in_the_default_mode(run, tmp_path):
    trainer = run(snapshot_gap="auto")
    trainer.setup(RandomWalk(), None)
    trainer.train(40)
    assert epochs(tmp_path / "run") == list(range(3, 40, 4))


def test_restore_says_where_to_go_on(run, tmp_path):
    trainer = run()
    trainer.setup(RandomWalk(), None)
    trainer.train(3)
    assert run("other").restore(tmp_path / "run").start_epoch == 3


def test_train_called_again_goes_on_as_one_run(run, tmp_path):
    for name, stages in (("once", (6,)), ("stages", (2, 2, 2))):
        np.random.seed(0)
        trainer = run(name, snapshot_mode="all")
        trainer.setup(RandomWalk(), None)
        for n_epochs in stages:
            trainer.train(n_epochs)
    assert epochs(tmp_path / "stages") == list(range(6))
    assert not list((tmp_path / "stages").rglob("*orphan*"))
    table = column(tmp_path / "stages" / "progress.csv")
    assert table == column(tmp_path / "once" / "progress.csv")


@pytest.mark.parametrize("why", ["no screen", "no window", "an error"])
def test_training_goes_on_where_the_policy_cannot_be_shown(why, run, monkeypatch, capsys):
    from garage_like.envs import GymEnv, PointEnv
    from garage_like.np.policies import GaussianMLPPolicy

    monkeypatch.setenv("DISPLAY", "" if why == "no screen" else ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    class Unseen(PointEnv):
        visualize = Environment.visualize

    env = Unseen() if why == "no window" else GymEnv("Pendulum-v1", max_episode_length=3)
    algo = RandomWalk()
    algo.policy = GaussianMLPPolicy(env.spec)
    if why == "an error":
        monkeypatch.setattr(GymEnv, "visualize", lambda self: sys.exit(3))
    trainer = run(snapshot_mode="none")
    trainer.setup(algo, env)
    trainer.train(3, plot=True)
    assert trainer.step_itr == 3
    log = (trainer.run_dir / "debug.log").read_text()
    assert log.count("the policy cannot be shown, training goes on") == 1


def test_an_episode_without_end_is_shown_in_part(run, monkeypatch, capsys):
    from garage_like.envs import PointEnv
    from garage_like.np.policies import GaussianMLPPolicy

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("garage_like.trainer.handle.LONGEST_SHOWN", 4)
    algo, env = RandomWalk(), PointEnv(never_done=True)
    algo.policy = GaussianMLPPolicy(env.spec)
    trainer = run(snapshot_mode="none")
    trainer.setup(algo, env)
    trainer.train(1, plot=True)
    assert capsys.readouterr().out.count("Point:") == 5


def test_a_trainer_lies_in_no_cycle(tmp_path):
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(RandomWalk(), None, callbacks=[lambda ended: True])
    gc.collect()
    gc.disable()
    try:
        trainer.train(1)
        known = weakref.ref(trainer)
        del trainer
        assert known() is None
    finally:
        gc.enable()
