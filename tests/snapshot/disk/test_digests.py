import hashlib
import os

import pytest
import xxhash

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.disk.digests import (
    PIECE,
    FileEntry,
    check_file,
    checked_pieces,
    file_digest_of,
    read_file,
)

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7]


@pytest.fixture(params=SIZES)
def file(request, tmp_path):
    content = os.urandom(request.param)
    (tmp_path / "file").write_bytes(content)
    return content, file_digest_of([content])


def test_digest_is_that_of_all_pieces_together():
    found = file_digest_of([b"abc", bytearray(b"de"), memoryview(b"f")])
    assert found == FileEntry(6, xxhash.xxh3_128(b"abcdef").hexdigest(), "xxh3_128")


def test_file_of_the_first_format_is_checked_by_the_digest_it_has(tmp_path):
    (tmp_path / "file").write_bytes(b"abcdef")
    digest = hashlib.blake2b(b"abcdef", digest_size=16).hexdigest()
    entry = FileEntry.from_json({"bytes": 6, "blake2b": digest})
    assert entry.to_json() == {"bytes": 6, "blake2b": digest}
    check_file(tmp_path, "file", entry)
    assert read_file(tmp_path, "file", entry) == b"abcdef"
    assert b"".join(checked_pieces(tmp_path, "file", entry)) == b"abcdef"
    (tmp_path / "file").write_bytes(b"abcdeF")
    with pytest.raises(SnapshotCorruptError, match="does not match its digest"):
        check_file(tmp_path, "file", entry)


def test_file_is_read_whole(file, tmp_path):
    content, entry = file
    assert read_file(tmp_path, "file", entry) == content


def test_intact_file_passes_the_check(file, tmp_path):
    _, entry = file
    check_file(tmp_path, "file", entry)


@pytest.mark.parametrize("look", [read_file, check_file])
@pytest.mark.parametrize("place", [0, PIECE - 1, PIECE, 3 * PIECE])
def test_flipped_bit_is_found_wherever_it_is(look, place, tmp_path):
    content = bytearray(os.urandom(3 * PIECE + 7))
    entry = file_digest_of([content])
    content[place] ^= 0b1000
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SnapshotCorruptError, match=r"file: its content does not match its digest"):
        look(tmp_path, "file", entry)


@pytest.mark.parametrize("look", [read_file, check_file])
@pytest.mark.parametrize(("size", "found"), [(10, 9), (10, 11), (10**18, 3)])
def test_other_size_is_found_before_memory_is_taken(look, size, found, tmp_path):
    (tmp_path / "file").write_bytes(bytes(found))
    with pytest.raises(SnapshotCorruptError, match=f"expected {size} bytes, found {found}"):
        look(tmp_path, "file", FileEntry(size, ""))


@pytest.mark.parametrize("look", [read_file, check_file])
def test_what_is_no_plain_file_is_not_opened(look, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(SnapshotCorruptError, match="expected a plain file"):
            look(tmp_path, name, FileEntry(0, ""))


@pytest.mark.parametrize("look", [read_file, check_file])
def test_missing_file_is_named(look, tmp_path):
    with pytest.raises(SnapshotCorruptError, match=r"nothing: cannot be read: .*No such file"):
        look(tmp_path, "nothing", FileEntry(0, ""))
