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
from typing import NamedTuple

import numpy as np

from garage_like.errors import SnapshotCorruptError

_ALIGNMENT = 64

_NUMPY_NAMES = {
    "F64": "float64", "F32": "float32", "F16": "float16",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
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
        length = struct.unpack_from("<Q", content)[0]
        if length > len(content) - 8:
            raise ValueError(f"a header of {length} bytes does not fit")
        header = json.loads(bytes(content[8 : 8 + length]))
        header.pop("__metadata__", None)
        data = np.frombuffer(content, np.uint8)[8 + length :]
        return {key: _tensor(key, entry, data) for key, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise SnapshotCorruptError(f"{name}: not a safetensors file: {error}") from error


def places(content: bytearray, name: str) -> dict[str, memoryview]:
    """Return the bytes of each tensor of a file, by name; see `parse`."""
    return {key: tensor.content.data for key, tensor in parse(content, name).items()}


def _tensor(name: str, entry: dict, data: np.ndarray) -> Tensor:
    start, end = entry["data_offsets"]
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"tensor {name!r} lies outside of the file")
    tensor = Tensor(name, entry["dtype"], tuple(entry["shape"]), data[start:end])
    if tensor.dtype not in _ITEMSIZES:
        raise ValueError(f"tensor {name!r} has type {tensor.dtype!r}")
    if math.prod(tensor.shape) * tensor.itemsize != end - start:
        raise ValueError(f"tensor {name!r} has shape {tensor.shape} but {end - start} bytes")
    return tensor
