"""The tensor files are safetensors files: the library reads them, and damage is seen."""

import json
import struct

import numpy as np
import pytest
import safetensors.torch
import torch

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.capture import capture
from garage_like.snapshot.disk.tensors import Tensor, file_pieces, parse


def joined(pieces):
    return bytearray(b"".join(bytes(memoryview(piece).cast("B")) for piece in pieces))


def tensor(name, array, dtype):
    return Tensor(name, dtype, array.shape, array.reshape(-1).view(np.uint8))


def file_of(*tensors):
    return joined(file_pieces(tensors))


WITHOUT_A_TYPE = ["complex", "dates", "big_endian"]


class Algo:
    pass


def graph_of_every_type():
    algo = Algo()
    kinds = [
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8),
        *(torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool),
    ]
    algo.policy = {str(kind)[6:]: torch.arange(5).to(kind) for kind in kinds}
    algo.policy["scalar"] = torch.tensor(2.5)
    algo.policy["matrix"] = torch.randn(3, 4)
    algo.policy["turned"] = torch.randn(3, 4).t()
    algo.policy["complex"] = torch.randn(3, dtype=torch.complex64)
    algo.policy["dates"] = np.array(["2020-01-01"], "datetime64[s]")
    algo.policy["big_endian"] = np.arange(3, dtype=">f8")
    return {"algo": algo}


@pytest.fixture(scope="module")
def written():
    graph = graph_of_every_type()
    (content,) = (joined(v) for k, v in capture(graph).files.items() if k.startswith("tensors/"))
    return graph["algo"].policy, content


def test_library_reads_every_type_as_it_was_saved(written):
    saved, content = written
    read = safetensors.torch.load(bytes(content))
    for name, expected in saved.items():
        if name in ("turned", *WITHOUT_A_TYPE):
            continue
        assert read[name].dtype == expected.dtype
        assert torch.equal(read[name], expected), name


def test_tensor_laid_out_the_other_way_round_is_stored_as_its_transpose(written):
    saved, content = written
    read = safetensors.torch.load(bytes(content))
    assert torch.equal(read["turned.T"], saved["turned"].T)


@pytest.mark.parametrize("name", WITHOUT_A_TYPE)
def test_types_that_the_format_lacks_are_stored_as_bytes(name, written):
    saved, content = written
    read = safetensors.torch.load(bytes(content))[name]
    assert read.dtype == torch.uint8
    value = saved[name]
    expected = value.numpy() if isinstance(value, torch.Tensor) else value
    assert read.numpy().tobytes() == expected.tobytes()


def test_every_tensor_begins_aligned_to_its_elements(written):
    _, content = written
    length = struct.unpack_from("<Q", content)[0]
    assert (8 + length) % 64 == 0
    header = json.loads(content[8 : 8 + length])
    sizes = {"BF16": 2, "BOOL": 1}
    header.pop("__metadata__")
    for entry in header.values():
        size = sizes.get(entry["dtype"]) or int(entry["dtype"][1:]) // 8
        assert entry["data_offsets"][0] % size == 0


def test_reader_of_our_own_agrees_with_the_library(written):
    _, content = written
    ours = parse(content, "file")
    for name, theirs in safetensors.torch.load(bytes(content)).items():
        expected = theirs.float() if theirs.dtype == torch.bfloat16 else theirs
        found = ours[name].array()
        if name in WITHOUT_A_TYPE:
            assert theirs.dtype == torch.uint8
        else:
            assert found.dtype == expected.numpy().dtype
        assert found.tobytes() == expected.numpy().tobytes()


@pytest.mark.parametrize("name", WITHOUT_A_TYPE)
def test_types_that_the_format_lacks_come_back_from_the_file_alone(name, written):
    saved, content = written
    value = saved[name]
    expected = value.numpy() if isinstance(value, torch.Tensor) else value
    found = parse(content, "file")[name].array()
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


def test_empty_file_is_read_by_the_library():
    assert safetensors.torch.load(bytes(file_of())) == {}


def test_names_of_any_letters_come_back():
    content = file_of(tensor('é "quoted" \\ \n', np.zeros(2), "F64"))
    assert list(safetensors.torch.load(bytes(content))) == ['é "quoted" \\ \n']


def test_what_a_library_wrote_is_read():
    content = bytearray(safetensors.torch.save({"a": torch.arange(3.0)}, metadata={"format": "pt"}))
    assert parse(content, "file")["a"].array().tolist() == [0, 1, 2]


def with_header(header):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return bytearray(struct.pack("<Q", len(text)) + text + bytes(64))


def with_told(told, shape):
    entry = {"dtype": "U8", "shape": [64, *shape], "data_offsets": [0, 64]}
    return with_header(
        {"__metadata__": {"garage_like.dtypes": json.dumps({"a": told})}, "a": entry}
    )


DAMAGED = {
    "empty": bytearray(),
    "cut within the length": bytearray(b"\x01\x02"),
    "header longer than the file": bytearray(struct.pack("<Q", 1 << 62) + b"{}"),
    "no JSON": with_header(b"{]"),
    "not text": with_header(b"\xff\xfe\x00"),
    "a list": with_header([1]),
    "nested too deeply": with_header(b"[" * 100_000),
    "entry is no object": with_header({"a": 3}),
    "no offsets": with_header({"a": {"dtype": "F32", "shape": [1]}}),
    "offsets of another kind": with_header(
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": ["x", "y"]}}
    ),
    "outside of the file": with_header(
        {"a": {"dtype": "F32", "shape": [100], "data_offsets": [0, 400]}}
    ),
    "backwards": with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}),
    "negative": with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [-8, -4]}}),
    "unknown type": with_header({"a": {"dtype": "F3", "shape": [1], "data_offsets": [0, 4]}}),
    "another shape": with_header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}),
    "bytes of another type": with_told("<c8", [8]),
    "bytes of no type": with_told("O", [8]),
    "bytes of a type of numbers": with_told(8, [8]),
    "types told in no JSON": with_header({"__metadata__": {"garage_like.dtypes": "["}}),
    "shape of text": with_header({"a": {"dtype": "F32", "shape": "x", "data_offsets": [0, 4]}}),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_file_is_refused_by_name(damage):
    with pytest.raises(SnapshotCorruptError, match=r"policy\.safetensors: not a safetensors file"):
        parse(DAMAGED[damage], "policy.safetensors")
