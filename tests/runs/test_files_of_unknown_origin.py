"""Files of a run of unknown origin: links, pipes and terminal escapes in them do nothing."""

import json
import os
import socket
from pathlib import Path

import pytest

from garage_like import Trainer
from garage_like.cli.printing import printable
from garage_like.errors import RunLockedError, SnapshotCorruptError, SnapshotSaveError
from garage_like.files.run_files import HOLDER, LOCK, PROGRESS, open_text
from garage_like.interfaces import RLAlgorithm
from garage_like.interop.model_card import model_card
from garage_like.runs.continuation import continuation
from garage_like.runs.removal import prune_run, remove_run
from garage_like.snapshot import SnapshotConfig, Snapshotter, list_snapshots
from garage_like.snapshot.disk.lock import RunLock
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore


def test_a_pipe_in_place_of_the_table_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / PROGRESS)
    with pytest.raises(SnapshotCorruptError, match="plain file"), open_text(tmp_path / PROGRESS):
        pass


@pytest.mark.parametrize("name", [LOCK, HOLDER])
def test_no_lock_file_is_written_through_a_link(name: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    run = tmp_path / "run"
    run.mkdir()
    (run / name).symlink_to(precious)
    lock = RunLock(run)
    if name == LOCK:
        with pytest.raises(SnapshotSaveError, match="no plain file"):
            lock.acquire()
    else:
        lock.acquire()
        lock.release()
    assert precious.read_text() == "mine"


def test_a_lock_whose_file_was_deleted_turns_a_second_writer_away(tmp_path: Path) -> None:
    living = {"pid": os.getppid(), "host": socket.gethostname()}
    (tmp_path / HOLDER).write_text(json.dumps(living))
    with pytest.raises(RunLockedError, match="was deleted"):
        RunLock(tmp_path).acquire()
    assert json.loads((tmp_path / HOLDER).read_text()) == living


def test_nothing_is_pruned_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "snapshots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="through links"):
        prune_run(tmp_path / "run", keep_last=2)


def test_what_a_terminal_would_obey_is_spelled_out() -> None:
    assert printable("a\x1b[2J\x07\tb\n") == "a\\x1b[2J\\x07\tb\n"


def test_no_command_goes_on_through_a_linked_folder_of_snapshots(tmp_path: Path) -> None:
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path / "other", async_save=False))
    snapshotter.save({"algo": {}}, Manifest(epoch=0))
    run = tmp_path / "run"
    run.mkdir()
    (run / "snapshots").symlink_to(tmp_path / "other" / "snapshots")
    with pytest.raises(ValueError, match=r"nothing is written through it.*--log-dir NEW"):
        continuation(run, None, None)
    assert continuation(run, None, tmp_path / "new").run_dir == tmp_path / "new"
    remove_run(run)
    assert not run.exists()
    assert (tmp_path / "other" / "snapshots" / "epoch_000000" / "manifest.json").exists()


@pytest.mark.parametrize("auto_resume", [False, True])
def test_no_trainer_writes_through_a_linked_folder_of_snapshots(
    auto_resume: bool, tmp_path: Path
) -> None:
    other = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "other", snapshot_mode="all"))
    other.setup(Counts(), None)
    other.train(3, batch_size=1)
    theirs = tmp_path / "other" / "snapshots"
    run = tmp_path / "run"
    run.mkdir()
    (run / "snapshots").symlink_to(theirs)
    trainer = Trainer(SnapshotConfig(snapshot_dir=run, auto_resume=auto_resume))
    trainer.setup(Counts(), None)
    with pytest.raises(SnapshotSaveError, match=r"a link to .*another snapshot_dir"):
        trainer.train(2, batch_size=1)
    with pytest.raises(OSError, match="a link to"):
        SnapshotStore.of_run(run).set_aside(0)
    with pytest.raises(OSError, match="a link to"):
        SnapshotStore.of_run(run).orphan_after(0)
    assert sorted(path.name for path in theirs.iterdir()) == [f"epoch_00000{n}" for n in range(3)]
    Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new")).restore(run)  # reading goes through


def test_of_a_linked_snapshot_the_link_alone_is_pruned(tmp_path: Path) -> None:
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run", snapshot_mode="all"))
    trainer.setup(Counts(), None)
    trainer.train(4, batch_size=1)
    snapshot = tmp_path / "run" / "snapshots" / "epoch_000001"
    snapshot.rename(tmp_path / "elsewhere")
    snapshot.symlink_to(tmp_path / "elsewhere")
    assert prune_run(tmp_path / "run", keep_last=2).removed == [0, 1]
    assert not snapshot.is_symlink()
    assert (tmp_path / "elsewhere" / "manifest.json").exists()


def test_options_that_are_none_are_told_of(tmp_path: Path) -> None:
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path, async_save=False))
    snapshotter.save({"algo": {}}, Manifest(epoch=0))
    (tmp_path / "experiment.json").write_text('{"options": {"snapshot_mode": 5}}')
    with pytest.raises(SnapshotCorruptError, match="its options are none: snapshot_mode"):
        prune_run(tmp_path)
    with pytest.raises(SnapshotCorruptError, match="its options are none: snapshot_mode"):
        _ = continuation(tmp_path, None, None).config


def test_what_a_kill_in_the_last_prune_left_goes_at_the_next_start(tmp_path: Path) -> None:
    def save(mode: str, epochs: range) -> Trainer:
        trainer = Trainer(
            SnapshotConfig(
                snapshot_dir=tmp_path, snapshot_mode=mode, auto_resume=True, max_stall=1.0
            )
        )
        trainer.setup(Counts(), None)
        trainer.train(len(epochs), batch_size=1)
        return trainer

    save("all", range(5))  # as if no prune of the mode below had ever ended
    save("last", range(5))  # nothing is left to train
    assert [path.name for path in list_snapshots(tmp_path)] == ["epoch_000003", "epoch_000004"]


def test_a_model_card_shows_names_and_obeys_none() -> None:
    hostile = "a|b\n# <script>[x](y)`\x1b[2J"
    manifest = Manifest(
        epoch=1, exact=False, reasons=[hostile], env_state={"name": hostile}, classes={"algo": "A"}
    )
    card = model_card(manifest, {hostile: hostile}, "a/b")
    body = card.split("---\n")[2].split("## Parameters")[0]
    assert "a\\|b \\# \\<script\\>\\[x\\](y)\\`" in body
    assert "\x1b" not in card
    assert "<script" not in body.replace("\\<", "")


class Counts(RLAlgorithm):
    """Count epochs."""

    policy = None

    def train_epoch(self, trainer: Trainer) -> float:
        trainer.step_itr += 1
        return 0.0
