"""The safetensors file format: a header of names, types, shapes and places, then plain bytes.

Written here rather than by the safetensors library because the pieces are digested, linked and
synced one by one and are never joined in memory; the tests read every file back with the library.
Format: https://huggingface.co/docs/safetensors (8 bytes of header length, JSON, data).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from garage_like.errors import SnapshotCorruptError

_ALIGNMENT = 64


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file: its name, type as safetensors spells it, shape, and bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    content: np.ndarray


def file_pieces(tensors: Sequence[Tensor]) -> list[memoryview]:
    """Return the pieces of a file that holds the tensors, in order."""
    header: dict[str, object] = {}
    position = 0
    for tensor in tensors:
        end = position + tensor.content.nbytes
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    return [
        memoryview(struct.pack("<Q", len(text)) + text),
        *(tensor.content.data for tensor in tensors),
    ]


def places(content: bytearray, name: str) -> dict[str, memoryview]:
    """Return the bytes of each tensor of a file that has been verified.

    Raises:
        SnapshotCorruptError: if the header does not fit the file.
    """
    try:
        length = struct.unpack_from("<Q", content)[0]
        header = json.loads(bytes(content[8 : 8 + length]))
        header.pop("__metadata__", None)
        data = memoryview(content)[8 + length :]
        found = {}
        for key, entry in header.items():
            start, end = entry["data_offsets"]
            if not 0 <= start <= end <= len(data):
                raise ValueError(f"tensor {key!r} lies outside of the file")
            found[key] = data[start:end]
        return found
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise SnapshotCorruptError(f"{name}: not a safetensors file: {error}") from error
