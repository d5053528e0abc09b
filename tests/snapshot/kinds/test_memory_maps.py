"""Memory maps stay memory maps, and nobody who only looks writes into their files."""

import numpy as np
import pytest

from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.live import restoring_into
from garage_like.snapshot.graph.pickling import copy_exactly


@pytest.fixture
def mapped(tmp_path):
    array = np.memmap(tmp_path / "memory", np.float32, "w+", shape=(2, 4))
    array[...] = np.arange(8).reshape(2, 4)
    return array


def test_restored_map_lies_in_its_file_with_what_was_saved(mapped, tmp_path):
    with restoring_into({}):
        found, part = copy_exactly((mapped, mapped[1:]))
    assert type(found) is np.memmap
    assert found.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    found[1, 1] = 50
    assert part[0, 1] == 50
    found.flush()
    assert np.fromfile(tmp_path / "memory", np.float32)[5] == 50


def test_restore_writes_back_what_was_saved_and_makes_the_file_anew(mapped, tmp_path):
    with restoring_into({}):
        found = copy_exactly({"map": mapped, "file": (tmp_path / "memory").rename(tmp_path / "x")})
    assert found["map"].tolist() == mapped.tolist()
    assert (tmp_path / "memory").stat().st_size == 32


def test_who_only_looks_gets_an_array_and_leaves_the_file_alone(mapped, tmp_path):
    found = copy_exactly(mapped)
    found[0, 0] = 9
    assert mapped[0, 0] == 0
    assert type(found) is np.ndarray


def test_map_that_can_only_be_read_is_opened_again_and_not_copied(mapped, tmp_path):
    mapped.flush()
    reading = np.memmap(tmp_path / "memory", np.float32, "r", offset=16, shape=(4,))
    captured = capture({"algo": {"data": reading, "part": reading[1:]}})
    assert captured.buffers == []
    found = copy_exactly({"data": reading, "part": reading[1:]})
    assert type(found["data"]) is np.memmap
    assert found["data"].tolist() == [4, 5, 6, 7]
    assert found["part"].tolist() == [5, 6, 7]
    assert not found["part"].flags.writeable
    (tmp_path / "memory").unlink()
    with pytest.raises(FileNotFoundError):
        copy_exactly(reading)
