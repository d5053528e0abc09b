"""Files of a run of unknown origin: links, pipes and terminal escapes in them do nothing."""

import json
import os
import socket
from pathlib import Path

import pytest

from garage_like.cli.printing import printable
from garage_like.errors import RunLockedError, SnapshotCorruptError, SnapshotSaveError
from garage_like.files.run_files import HOLDER, LOCK, PROGRESS, open_text
from garage_like.runs.removal import prune_run
from garage_like.snapshot.disk.lock import RunLock


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
