"""What a full disk does not take waits, and is written once there is room."""

import errno
import os

import pytest

from garage_like.logging import patient_file
from garage_like.logging.csv_output import CsvOutput
from garage_like.logging.light_imports import LoggerWarning
from garage_like.logging.patient_file import PatientFile


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


def test_other_errors_are_raised(disk, tmp_path):
    disk.room, disk.error = 0, errno.EBADF
    with pytest.raises(OSError, match="Bad file descriptor"):
        PatientFile(tmp_path / "log").write(b"x")
    with pytest.raises(FileNotFoundError):
        PatientFile(tmp_path / "missing" / "log")
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
