"""What a full disk does not take waits, and is written once there is room."""

import errno
import os

import pytest

from garage_like.logging import patient_file
from garage_like.logging.csv_output import CsvOutput
from garage_like.logging.light_imports import LoggerWarning, logger, tabular
from garage_like.logging.patient_file import PatientFile
from garage_like.logging.run_logs import RunLogs
from garage_like.logging.text_output import TextOutput


class FullDisk:
    """Take a few bytes more, and then none; stands in for `os`."""

    def __init__(self, room, error=errno.ENOSPC):
        self.room, self.error = room, error

    def __getattr__(self, name):
        return getattr(os, name)

    def write(self, descriptor, content):
        if not self.room:
            raise OSError(self.error, os.strerror(self.error))
        count = min(self.room, len(content))
        self.room -= count
        return os.write(descriptor, content[:count])


@pytest.fixture
def disk(monkeypatch):
    disk = FullDisk(10)
    monkeypatch.setattr(patient_file, "os", disk)
    return disk


def test_lines_wait_in_order_until_there_is_room(disk, tmp_path):
    file = PatientFile(tmp_path / "log")
    with pytest.warns(LoggerWarning, match="the log cannot be written, its lines wait: .*space"):
        file.write(b"first line\nsecond\n")
    file.write(b"third\n")
    assert (tmp_path / "log").read_bytes() == b"first line"
    assert file.num_waiting == 14
    disk.room = 1000
    file.write(b"fourth\n")
    assert file.num_waiting == 0
    file.close()
    assert (tmp_path / "log").read_text().split() == ["first", "line", "second", "third", "fourth"]


def test_what_waits_is_tried_once_more_when_the_file_is_closed(disk, tmp_path):
    file = PatientFile(tmp_path / "log")
    with pytest.warns(LoggerWarning):
        file.write(b"more than ten bytes")
    disk.room = 100
    file.close()
    assert (tmp_path / "log").read_bytes() == b"more than ten bytes"


@pytest.mark.parametrize("error", sorted(errno.errorcode))
def test_whatever_the_error_is_lines_wait_and_none_is_lost(error, disk, tmp_path):
    disk.room, disk.error = 0, error
    file = PatientFile(tmp_path / "missing" / "log")
    with pytest.warns(LoggerWarning, match=rf"its lines wait: \[Errno {error}\]"):
        file.write(b"x\n")
    disk.room = 100
    file.write(b"y\n")
    file.close()
    assert (tmp_path / "missing" / "log").read_bytes() == b"x\ny\n"


def test_a_file_that_is_to_begin_anew_does_not_go_on_with_another(tmp_path):
    (tmp_path / "there").touch()
    with pytest.raises(FileExistsError):
        PatientFile(tmp_path / "there", begins_anew=True)


def test_rows_with_new_columns_wait_for_room_too(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    output = CsvOutput(tmp_path / "progress.csv")
    output.write_row({"a": 1})
    with monkeypatch.context() as patch:
        patch.setattr("garage_like.logging.csv_output.replace_content", full)
        with pytest.warns(LoggerWarning, match=r"progress\.csv: the log cannot be written"):
            output.write_row({"a": 2, "b": 2})
        output.write_row({"a": 3})
        assert output.num_waiting > 1 << 50
    assert (tmp_path / "progress.csv").read_text() == "a\n1\n"
    output.write_row({"a": 4})
    assert output.num_waiting == 0
    output.close()
    assert (tmp_path / "progress.csv").read_text() == "a,b\n1,\n2,2\n3,\n4,\n"


def test_a_log_that_was_removed_or_moved_begins_anew_at_its_path(tmp_path):
    csv, text = CsvOutput(tmp_path / "run/progress.csv"), TextOutput(tmp_path / "run/debug.log")
    csv.write_row({"a": 1})
    text.write_line("one")
    (tmp_path / "run").rename(tmp_path / "moved")
    csv.write_row({"b": 2})
    text.write_line("two")
    (tmp_path / "run/progress.csv").unlink()
    csv.write_row({"a": 3})
    csv.close()
    text.close()
    assert (tmp_path / "moved/progress.csv").read_text() == "a\n1\n"
    assert (tmp_path / "moved/debug.log").read_text() == "one\n"
    assert (tmp_path / "run/progress.csv").read_text() == "a\n3\n"
    assert (tmp_path / "run/debug.log").read_text() == "two\n"


def log_row(step):
    tabular.record("TotalEnvSteps", step)
    tabular.record("x", 1.0)
    logger.log(tabular)
    tabular.clear()


def test_events_wait_where_no_file_can_be_made_and_no_snapshot_counts_without_them(
    tmp_path, monkeypatch
):
    def full(directory):
        raise OSError(errno.EMFILE, "Too many open files")

    with RunLogs(tmp_path, existing=False, console=False) as logs:
        with monkeypatch.context() as patch:
            patch.setattr("garage_like.logging.tensorboard_output.EventFile", full)
            with pytest.warns(LoggerWarning, match="its lines wait: .*Too many open files"):
                log_row(0)
            log_row(1)
            with pytest.raises(OSError, match="not all of the log could be written"):
                logs.sync(logs.offsets())
        log_row(2)
        logs.sync(logs.offsets())
        assert any("tfevents" in name for name in logs.offsets())
