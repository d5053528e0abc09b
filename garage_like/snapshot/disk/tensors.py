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
from garage_like.files.guarded_json import MAX_BYTES, parse_object
from garage_like.files.opening import opened
from garage_like.snapshot.disk.digests import FileEntry, read_file
from garage_like.snapshot.disk.dtypes import DTYPES, ITEMSIZES, numbers, stored_as
from garage_like.snapshot.disk.manifest_types import is_count

_ALIGNMENT = 64
_MAX_AXES = 32

_KINDS = frozenset(DTYPES.values())
_METADATA = "__metadata__"
_TOLD = "garage_like.dtypes"
"""Where the metadata of a file says, as JSON, of which types tensors are that it has as bytes."""


class Tensor(NamedTuple):
    """One tensor of a file.

    Attributes:
        name: within the file.
        dtype: as safetensors spells it.
        shape: of the tensor.
        content: its bytes, shape (nbytes,), uint8.
        told: its type, if the file has it as bytes: see `dtypes.told_dtype`.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    content: np.ndarray
    told: str | None = None

    @classmethod
    def of(cls, name: str, told: str | None, shape: tuple[int, ...], content: np.ndarray) -> Tensor:
        """Return the tensor that an array is stored as, whatever its type.

        Args:
            name: within the file.
            told: the type of the array, see `dtypes.told_dtype`; None: it is stored as bytes.
            shape: of the array.
            content: its bytes, shape (nbytes,), uint8.
        """
        if told is None:
            return cls(name, "U8", (content.nbytes,), content)
        kind, more = stored_as(told)
        return cls(name, kind, (*shape, *more), content, None if kind == told else told)

    @property
    def itemsize(self) -> int:
        """Bytes of one element as it is stored."""
        return ITEMSIZES.get(self.dtype, 1)

    def array(self) -> np.ndarray:
        """Return the tensor as an array; see `dtypes.numbers` for types that NumPy lacks."""
        if self.told is None:
            return numbers(self.content, self.dtype, self.shape)
        shape = self.shape[: len(self.shape) - len(stored_as(self.told)[1])]
        return numbers(self.content, self.told, shape)


def file_pieces(tensors: Sequence[Tensor]) -> list[memoryview]:
    """Return the pieces of a file that holds the tensors, in order.

    Each begins aligned if those of wider elements come first.
    """
    entries = []
    told = {tensor.name: tensor.told for tensor in tensors if tensor.told is not None}
    if told:
        entries.append(f'"{_METADATA}":{json.dumps({_TOLD: json.dumps(told)})}')
    position = 0
    for name, dtype, shape, content, _ in tensors:
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
        told = _told_types(header.pop(_METADATA, None))
        data = np.frombuffer(content, np.uint8)[8 + length :]
        tensors = {key: _tensor(key, entry, data, told.get(key)) for key, entry in header.items()}
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


def _told_types(metadata: Any) -> dict[str, str]:
    """Return the types that a file tells of tensors that it has as bytes, by name."""
    if not isinstance(metadata, dict) or _TOLD not in metadata:
        return {}
    return parse_object(metadata[_TOLD].encode())


def _tensor(name: str, entry: dict, data: np.ndarray, told: str | None) -> Tensor:
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
    tensor = Tensor(name, entry["dtype"], tuple(shape), data[start:end], told)
    if tensor.dtype not in _KINDS:
        raise ValueError(f"tensor {name!r} has type {tensor.dtype!r}")
    if math.prod(tensor.shape) * tensor.itemsize != end - start:
        raise ValueError(f"tensor {name!r} has shape {tensor.shape} but {end - start} bytes")
    if told is not None:
        kind, more = stored_as(told)
        if (kind, more) != (tensor.dtype, tensor.shape[len(shape) - len(more) :]):
            raise ValueError(f"tensor {name!r} of shape {shape} cannot be of type {told!r}")
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
