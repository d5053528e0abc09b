"""Replay memory as one file for other programs: pt, npz or csv.

Each file holds the columns under their names, and a header in JSON: what a buffer needs to go on
where it was. In a pt file (`torch.load`) and an npz file (`numpy.load`) the header is the entry
`header`; in a csv file it is the first line, after a `#`. A csv file has one line for each
transition, in the order of the rows, and a column `observation[0]` for each number.

A file without a header holds the columns alone, the oldest transition first, as `garage-like export
--table` or another program writes them: any buffer that has room for its rows takes them.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import numpy as np

FileFormat = Literal["pt", "npz", "csv"]

_KIND = "garage_like replay memory"
_VERSION = 1
_HEADER = {"capacity": int, "cursor": int, "rows": int, "columns": dict, "extras": dict}


@dataclass
class Memory:
    """What a file holds.

    Attributes:
        capacity: rows that the buffer had room for; None in a file without a header.
        cursor: row that it would have written next.
        columns: arrays of as many rows as were in use, in the order of the ring.
        extras: what else the buffer knew; JSON.
    """

    capacity: int | None
    cursor: int
    columns: dict[str, np.ndarray]
    extras: dict[str, Any]

    @property
    def num_rows(self) -> int:
        """Rows in use."""
        return len(next(iter(self.columns.values())))

    def header(self) -> dict[str, Any]:
        """Return all but the columns' content."""
        return {
            "kind": _KIND,
            "version": _VERSION,
            "capacity": self.capacity,
            "cursor": self.cursor,
            "rows": self.num_rows,
            "columns": {
                name: {"dtype": array.dtype.name, "shape": list(array.shape[1:])}
                for name, array in self.columns.items()
            },
            "extras": self.extras,
        }


def check_format(owner: str, format: Any) -> None:
    """Raise ValueError unless a format is one of those that there are."""
    if format not in get_args(FileFormat):
        raise ValueError(f"{owner}: format must be 'pt', 'npz' or 'csv', got {format!r}")


def write(path: Path, format: FileFormat | None, memory: Memory) -> None:
    """Write a file that is there whole or not at all, making its directory if need be."""
    format = _format_of(path, format)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            _WRITERS[format](file, memory)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path, format: FileFormat | None) -> Memory:
    """Read a file that `write` wrote.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is something else, or damaged; says what and where.
    """
    format = _format_of(path, format)
    content = path.read_bytes()
    try:
        header, columns = _READERS[format](content)
        if header is None:
            return _without_header(columns)
        _check(header, columns)
    except _DamagedError as problem:
        raise ValueError(f"{path} is no replay memory in {format} format: {problem}") from None
    return Memory(header["capacity"], header["cursor"], columns, header["extras"])


_Content = tuple[dict[str, Any] | None, dict[str, np.ndarray]]
"""Header, None if the file has none, and columns."""


class _DamagedError(Exception):
    """What is wrong with a file."""


def _format_of(path: Path, format: FileFormat | None) -> FileFormat:
    chosen = path.suffix.removeprefix(".") if format is None else format
    check_format(f"replay memory {str(path)!r}", chosen)
    return chosen  # type: ignore[return-value]


def _parse_header(text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError:
        raise _DamagedError("its header is no JSON") from None
    if not isinstance(header, dict) or header.get("kind") != _KIND:
        raise _DamagedError(f"its header does not say {_KIND!r}")
    if header.get("version") != _VERSION:
        raise _DamagedError(f"it has version {header.get('version')!r}, expected {_VERSION}")
    for key, kind in _HEADER.items():
        if type(header.get(key)) is not kind:
            raise _DamagedError(
                f"its header has {key} = {header.get(key)!r}, expected {kind.__name__}"
            )
    return header


def _check(header: dict[str, Any], columns: dict[str, np.ndarray]) -> None:
    """Hold the columns, and the numbers in the header, to what the header says."""
    capacity, cursor, rows = header["capacity"], header["cursor"], header["rows"]
    if columns.keys() != header["columns"].keys():
        raise _DamagedError(f"expected columns {list(header['columns'])}, found {list(columns)}")
    for name, array in columns.items():
        kind = header["columns"][name]
        expected = (rows, *kind["shape"])
        if array.shape != expected or array.dtype.name != kind["dtype"]:
            raise _DamagedError(
                f"column {name!r} should have shape {expected} and type {kind['dtype']}, found "
                f"{array.shape} and {array.dtype}"
            )
    follows = cursor == rows if rows < capacity else 0 <= cursor < capacity
    if not (1 <= rows <= capacity and follows):
        raise _DamagedError(f"{rows} rows of {capacity} do not go with row {cursor} as the next")
    slots = columns.get("segment")
    if slots is None or slots.ndim != 1 or slots.min() < 0 or slots.max() >= capacity:
        raise _DamagedError("column 'segment' must number the episodes from 0 to capacity - 1")


def _without_header(columns: dict[str, np.ndarray]) -> Memory:
    """Return columns alone; episodes are told by where the number of theirs changes."""
    segment = columns.get("segment", np.zeros(0))
    if segment.ndim != 1 or not len(segment):
        raise _DamagedError("it has neither a header nor a column 'segment', episodes' numbers")
    numbers = np.cumsum(np.diff(segment, prepend=segment[:1]) != 0)
    columns = {**columns, "segment": numbers.astype(np.int32)}
    for name, column in columns.items():
        if len(column) != len(segment):
            raise _DamagedError(f"{name!r} has {len(column)} rows, 'segment' {len(segment)}")
    return Memory(None, len(segment), columns, {})


# ---- npz and pt ---------------------------------------------------------------------------------


def _write_npz(file: BinaryIO, memory: Memory) -> None:
    header: Any = np.array(json.dumps(memory.header()))
    np.savez(file, **{"header": header, **memory.columns})


def _read_npz(content: bytes) -> _Content:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:
        raise _DamagedError(f"numpy.load says: {error}") from None
    if "header" not in arrays:
        return None, arrays
    return _parse_header(str(arrays.pop("header"))), arrays


def _write_pt(file: BinaryIO, memory: Memory) -> None:
    import torch

    tensors = {name: torch.from_numpy(array.copy()) for name, array in memory.columns.items()}
    torch.save({"header": json.dumps(memory.header()), **tensors}, file)


def _read_pt(content: bytes) -> _Content:
    import torch

    try:
        entries = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
        header = entries.pop("header", None)
        columns = {name: tensor.numpy() for name, tensor in entries.items()}
    except Exception as error:
        raise _DamagedError(f"torch.load says: {error}") from None
    return None if header is None else _parse_header(header), columns


# ---- csv ----------------------------------------------------------------------------------------


def _write_csv(file: BinaryIO, memory: Memory) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    text.write(f"#{json.dumps(memory.header())}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        title for name, array in memory.columns.items() for title in _titles(name, array.shape[1:])
    )
    # Python's own numbers are written so that they are read back exactly; float32 fits in float.
    columns = [
        cells
        for array in memory.columns.values()
        for cells in array.reshape(memory.num_rows, -1).T.tolist()
    ]
    table.writerows(zip(*columns, strict=True))
    text.detach()


def _titles(name: str, shape: tuple[int, ...]) -> Iterator[str]:
    if not shape:
        yield name
    for index in np.ndindex(*shape) if shape else ():
        yield f"{name}[{','.join(map(str, index))}]"


def _read_csv(content: bytes) -> _Content:
    try:
        text = io.StringIO(content.decode("utf-8"), newline="")
    except UnicodeDecodeError:
        raise _DamagedError("it is no text") from None
    if not content.startswith(b"#"):
        return None, _guess_columns(list(csv.reader(text)))
    header = _parse_header(text.readline().removeprefix("#"))
    try:
        kinds = {n: (np.dtype(k["dtype"]), tuple(k["shape"])) for n, k in header["columns"].items()}
    except (KeyError, TypeError) as error:
        raise _DamagedError(f"its header does not describe the columns: {error}") from None
    expected = [title for name, (_, shape) in kinds.items() for title in _titles(name, shape)]
    lines = csv.reader(text)
    titles = next(lines, [])
    if titles != expected:
        raise _DamagedError(f"expected the columns {expected}, found {titles}")
    rows = list(lines)
    for number, row in enumerate(rows, start=3):
        if len(row) != len(expected):
            raise _DamagedError(f"line {number} has {len(row)} cells, expected {len(expected)}")
    if len(rows) != header["rows"]:
        raise _DamagedError(f"expected {header['rows']} rows, found {len(rows)}")
    return header, _parse_cells(rows, kinds)


def _guess_columns(lines: list[list[str]]) -> dict[str, np.ndarray]:
    """Read a table of which no header tells the types: whole numbers, others, or True and False."""
    titles, *rows = lines or [[]]
    if any(len(row) != len(titles) for row in rows):
        raise _DamagedError(f"expected {len(titles)} cells in each line, as titles")
    names = [title.partition("[")[0] for title in titles]
    places = [tuple(map(int, re.findall(r"\d+", title.partition("[")[2]))) for title in titles]
    columns = {}
    for name in dict.fromkeys(names):
        chosen = [i for i, other in enumerate(names) if other == name]
        shape = tuple(np.max([places[i] for i in chosen], axis=0).astype(int) + 1)
        if [places[i] for i in chosen] != list(np.ndindex(*shape)):
            raise _DamagedError(f"the columns of {name!r} are not numbered from 0 in order")
        cells = [row[i] for row in rows for i in chosen]
        for kind, dtype in (("b", np.bool_), ("i", np.int64), ("f", np.float64)):
            with contextlib.suppress(KeyError, ValueError, OverflowError):
                numbers = np.array([_PARSERS[kind](cell) for cell in cells], dtype)
                columns[name] = numbers.reshape(len(rows), *shape)
                break
        else:
            raise _DamagedError(f"column {name!r} holds something else than numbers")
    return columns


def _parse_cells(
    rows: list[list[str]], kinds: dict[str, tuple[np.dtype, tuple[int, ...]]]
) -> dict[str, np.ndarray]:
    columns, first = {}, 0
    for name, (dtype, shape) in kinds.items():
        width = int(np.prod(shape, dtype=np.int64))
        cells = [cell for row in rows for cell in row[first : first + width]]
        try:
            numbers = [_PARSERS[dtype.kind](cell) for cell in cells]
        except (KeyError, ValueError) as error:
            raise _DamagedError(f"column {name!r}: {error}") from None
        columns[name] = np.array(numbers, dtype).reshape(len(rows), *shape)
        first += width
    return columns


_PARSERS: dict[str, Any] = {
    "f": float,
    "i": int,
    "u": int,
    "b": {"True": True, "False": False}.__getitem__,
}
_WRITERS = {"npz": _write_npz, "pt": _write_pt, "csv": _write_csv}
_READERS = {"npz": _read_npz, "pt": _read_pt, "csv": _read_csv}
