"""The files that wandb writes offline, as far as it takes to tell which rows they hold.

Such a file is a log in the format of LevelDB: blocks of 32 KiB with pieces of records, each behind
its checksum (4 bytes), size (2) and kind (1); a record is a message of wandb's own.
"""

from __future__ import annotations

import importlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = 1 << 15
_FILE_HEADER = 7
_HEADER = struct.Struct("<IHB")
_WHOLE, _LAST = 1, 4


def last_step_offline(directory: Path, run_id: str) -> int:
    """Return the last step that a run's sessions have on the disk; -1 if there is none.

    Args:
        directory: what `wandb.init` was given as `dir`.
        run_id: of the first session; later ones have a number after it.
    """
    files = [
        path
        for pattern in (f"run-{run_id}.wandb", f"run-{run_id}-*.wandb")
        for path in directory.glob(f"wandb/offline-run-*/{pattern}")
    ]
    return max((step for path in files for step in _steps(path)), default=-1)


def _steps(path: Path) -> Iterator[int]:
    messages = importlib.import_module("wandb.proto.wandb_internal_pb2")
    for content in _records(path.read_bytes()):
        record: Any = messages.Record()
        try:
            record.ParseFromString(content)
        except Exception:  # a kill cut it short; what stands before it counts
            return
        for item in record.history.item:
            if list(item.nested_key) == ["_step"] or item.key == "_step":
                yield int(json.loads(item.value_json))


def _records(content: bytes) -> Iterator[bytes]:
    """Yield whole records; the rest of one that was cut short is left out."""
    position, record = _FILE_HEADER, b""
    while position + _HEADER.size <= len(content):
        if _BLOCK - position % _BLOCK < _HEADER.size:
            position += _BLOCK - position % _BLOCK
            continue
        _, size, kind = _HEADER.unpack_from(content, position)
        position += _HEADER.size
        if kind == 0 or position + size > len(content):
            return
        record += content[position : position + size]
        position += size
        if kind in (_WHOLE, _LAST):
            yield record
            record = b""
