"""The safetensors file format: a header of names, types, shapes and places, then plain bytes.

Written here rather than by the safetensors library because the pieces are digested, linked and
synced one by one and are never joined in memory; the tests read every file back with the library.
Format: https://huggingface.co/docs/safetensors (8 bytes of header length, JSON, data).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.disk.digests import FileEntry, read_file
from garage_like.snapshot.disk.guarded_json import MAX_BYTES, parse_object
from garage_like.snapshot.disk.manifest_types import is_count
from garage_like.snapshot.disk.opening import opened

_ALIGNMENT = 64
_MAX_AXES = 32

DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
"""How safetensors spells NumPy's types, and torch's bfloat16."""

_NUMPY_NAMES = {kind: name for name, kind in DTYPES.items() if name != "bfloat16"}
_ITEMSIZES = {"BF16": 2, **{name: np.dtype(kind).itemsize for name, kind in _NUMPY_NAMES.items()}}


class Tensor(NamedTuple):
    """One tensor of a file.

    Attributes:
        name: within the file.
        dtype: as safetensors spells it.
        shape: of the tensor.
        content: its bytes, shape (nbytes,), uint8.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    content: np.ndarray

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return _ITEMSIZES[self.dtype]

    def array(self) -> np.ndarray:
        """Return the tensor as an array; bfloat16, which NumPy lacks, exactly as float32."""
        if self.dtype == "BF16":
            wide = self.content.view(np.uint16).astype(np.uint32) << 16
            return wide.view(np.float32).reshape(self.shape)
        return self.content.view(_NUMPY_NAMES[self.dtype]).reshape(self.shape)


def file_pieces(tensors: Sequence[Tensor]) -> list[memoryview]:
    """Return the pieces of a file that holds the tensors, in order.

    Each begins aligned if those of wider elements come first.
    """
    entries = []
    position = 0
    for name, dtype, shape, content in tensors:
        end = position + content.nbytes
        entries.append(
            f'{json.dumps(name)}:{{"dtype":"{dtype}","shape":{list(map(int, shape))},'
            f'"data_offsets":[{position},{end}]}}'
        )
        position = end
    text = f"{{{','.join(entries)}}}".encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    return [
        memoryview(struct.pack("<Q", len(text)) + text),
        *(tensor.content.data for tensor in tensors),
    ]


def parse(content: bytearray, name: str) -> dict[str, Tensor]:
    """Return the tensors of a file, by name; they share memory with its content.

    Args:
        content: of the file.
        name: for messages.

    Raises:
        SnapshotCorruptError: if the header does not fit the file.
    """
    try:
        length = header_length(content, len(content))
        header = parse_object(content[8 : 8 + length])
        header.pop("__metadata__", None)
        data = np.frombuffer(content, np.uint8)[8 + length :]
        tensors = {key: _tensor(key, entry, data) for key, entry in header.items()}
        _check_tiling(header, len(data))
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise SnapshotCorruptError(f"{name}: not a safetensors file: {error}") from error
    return tensors


def read_tensors(snapshot: Path, name: str, entry: FileEntry) -> dict[str, Tensor]:
    """Read a file of a snapshot and check it, its header before any more of it.

    Raises:
        SnapshotCorruptError: if it is not what the manifest says, or no safetensors file.
    """
    with opened(snapshot, name, entry.bytes) as file:
        try:
            header_length(file.read(8), entry.bytes)
        except (ValueError, struct.error) as error:
            message = f"{snapshot / name}: not a safetensors file: {error}"
            raise SnapshotCorruptError(message) from error
    return parse(read_file(snapshot, name, entry), f"{snapshot}/{name}")


def header_length(start: bytes | bytearray, nbytes: int) -> int:
    """Return the length of the header of a file of `nbytes` bytes, of which the first 8 are given.

    Raises:
        ValueError: if it fits neither the file nor what a header may take.
    """
    length: int = struct.unpack_from("<Q", start)[0]
    if length > min(nbytes - 8, MAX_BYTES):
        raise ValueError(f"a header of {length} bytes does not fit")
    return length


def places(content: bytearray, name: str) -> dict[str, memoryview]:
    """Return the bytes of each tensor of a file, by name; see `parse`."""
    return {key: tensor.content.data for key, tensor in parse(content, name).items()}


def _tensor(name: str, entry: dict, data: np.ndarray) -> Tensor:
    start, end = entry["data_offsets"]
    if not (is_count(start) and is_count(end) and start <= end <= len(data)):
        raise ValueError(f"tensor {name!r} lies outside of the file")
    shape = entry["shape"]
    if not (
        isinstance(shape, list)
        and len(shape) <= _MAX_AXES
        and all(map(is_count, shape))
        and is_count(8 * math.prod(filter(None, shape)))  # what NumPy can count, zeros or not
    ):
        raise ValueError(f"tensor {name!r} has shape {shape!r}")
    tensor = Tensor(name, entry["dtype"], tuple(shape), data[start:end])
    if tensor.dtype not in _ITEMSIZES:
        raise ValueError(f"tensor {name!r} has type {tensor.dtype!r}")
    if math.prod(tensor.shape) * tensor.itemsize != end - start:
        raise ValueError(f"tensor {name!r} has shape {tensor.shape} but {end - start} bytes")
    return tensor


def _check_tiling(header: dict[str, Any], nbytes: int) -> None:
    """Check that tensors overlap nowhere and leave no gap."""
    position = 0
    for start, end in sorted(entry["data_offsets"] for entry in header.values()):
        if start != position:
            raise ValueError(f"tensors overlap or leave a gap at byte {min(start, position)}")
        position = end
    if position != nbytes:
        raise ValueError(f"{nbytes - position} bytes belong to no tensor")
