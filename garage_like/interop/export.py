"""Export: a snapshot's weights or tables become one file that other programs read.

Weights as safetensors, npz or `.pt`, and tables as these or csv, are copied as data: nothing is
unpickled. ONNX and TorchScript hold the policy as a program, so its objects are built first.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.errors import SnapshotNotFoundError
from garage_like.interop.formats import FORMATS_OF_TABLES, PROGRAMS, WEIGHTS
from garage_like.loading import load_algo
from garage_like.logging.log_files import check_replaceable
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.disk.dtypes import told_dtype
from garage_like.snapshot.disk.tensors import Tensor, file_pieces
from garage_like.snapshot.kinds.arrays import as_the_run_sees_them
from garage_like.snapshot.reader import SnapshotReader

Arrays = Mapping[str, np.ndarray]
_NO_MODULES = {"rng", "sampler"}


def export_weights(snapshot: SnapshotReader, component: str, file_format: str, out: Path) -> None:
    """Write the arrays of a component to a file.

    Args:
        snapshot: to read.
        component: of its components.
        file_format: `safetensors`, `npz` or `pt`.
        out: the file.

    Raises:
        SnapshotNotFoundError: if there is no such component; lists those there are.
        ValueError: if weights are not written in this format.
    """
    _check_format(file_format)
    arrays = as_the_run_sees_them(snapshot.tensors(component))
    with _whole_or_not_at_all(out) as draft:
        _WRITERS[file_format](draft, arrays)


def export_all_weights(snapshot: SnapshotReader, file_format: str, out: Path) -> list[str]:
    """Write the arrays of all modules to one file, as skrl has its `agent.pt`.

    `.pt` has a dict of tensors for each component; the others say `component.name`. Those of the
    environment are among them, since it may normalise what the policy sees; samplers, generators
    and replay memories are not.

    Args:
        snapshot: to read.
        file_format: `safetensors`, `npz` or `pt`.
        out: the file.

    Returns:
        The components.

    Raises:
        ValueError: if weights are not written in this format.
    """
    _check_format(file_format)
    memories = {*snapshot.tables, *(str(entry.get("memory")) for entry in snapshot.manifest.tables)}
    names = [name for name in snapshot.components if name not in memories | _NO_MODULES]
    found = {name: as_the_run_sees_them(snapshot.tensors(name)) for name in names}
    with _whole_or_not_at_all(out) as draft:
        if file_format == "pt":
            _write_modules(draft, found)
        else:
            flat = {
                f"{part}.{name}": a for part, arrays in found.items() for name, a in arrays.items()
            }
            _WRITERS[file_format](draft, flat)
    return list(found)


def _check_format(file_format: str) -> None:
    if file_format not in WEIGHTS:
        raise ValueError(f"weights are written as {', '.join(WEIGHTS)}; got {file_format!r}")


def export_table(snapshot: SnapshotReader, table: str, file_format: str, out: Path) -> None:
    """Write the rows of a table to a file, the oldest first; a replay memory can load them.

    Args:
        snapshot: to read.
        table: of its tables; a replay memory may be called by its component.
        file_format: `npz`, `pt`, `safetensors`, or `csv`: one line for each row, a column for each
            number.
        out: the file.

    Raises:
        SnapshotNotFoundError: if there is no such table; lists those there are.
        ValueError: if tables are not written in this format.
    """
    if file_format not in FORMATS_OF_TABLES:
        known = ", ".join(FORMATS_OF_TABLES)
        raise ValueError(f"tables are written as {known}; got {file_format!r}")
    columns = snapshot.table(table, oldest_first=True)
    with _whole_or_not_at_all(out) as draft:
        _WRITERS[file_format](draft, columns)


def export_program(
    path: Path, epoch: FromEpoch, component: str, file_format: str, out: Path, *, trust: bool
) -> None:
    """Write a policy as a program: observations in, its most likely actions out.

    Args:
        path: a run directory, or one snapshot.
        epoch: which snapshot.
        component: attribute of the algorithm that is a policy of torch.
        file_format: `onnx` or `torchscript`.
        out: the file.
        trust: build the objects though another user wrote them.

    Raises:
        SnapshotNotFoundError: if the algorithm has no such component.
        ValueError: if it is no policy of torch, or this is no format of programs.
        ModuleNotFoundError: if the format needs a package that is not installed.
    """
    if file_format not in PROGRAMS:
        raise ValueError(f"programs are written as {', '.join(PROGRAMS)}; got {file_format!r}")
    algo = load_algo(path, epoch, trust=trust)
    policy = getattr(algo, component, None) or getattr(algo, f"_{component}", None)
    if policy is None:
        raise SnapshotNotFoundError(f"{path}: {type(algo).__name__} has no {component!r}")
    if not any(cls.__module__ == "garage_like.torch.policies.policy" for cls in type(policy).mro()):
        raise ValueError(
            f"{component} is a {type(policy).__name__}; only policies of garage_like.torch can be"
            f" written as {file_format}: take safetensors or npz"
        )
    from garage_like.torch import exporting

    write = exporting.write_onnx if file_format == "onnx" else exporting.write_torchscript
    with _whole_or_not_at_all(out) as draft:
        write(policy, draft)


@contextmanager
def _whole_or_not_at_all(out: Path) -> Iterator[Path]:
    """Write beside the file, then take its place."""
    check_replaceable(out)
    suffix = out.suffix or ".draft"  # torch takes no file whose name begins with its last dot
    handle, name = tempfile.mkstemp(prefix=".draft-", suffix=suffix, dir=out.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        umask = os.umask(0)
        os.umask(umask)
        draft.chmod(0o666 & ~umask)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _write_safetensors(out: Path, arrays: Arrays) -> None:
    tensors = [
        Tensor.of(name, told_dtype(array.dtype), array.shape, _bytes_of(array))
        for name, array in arrays.items()
    ]
    with out.open("wb") as file:
        file.writelines(file_pieces(tensors))


def _bytes_of(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _write_npz(out: Path, arrays: Arrays) -> None:
    with out.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _write_pt(out: Path, arrays: Arrays) -> None:
    import torch

    torch.save(_as_tensors(arrays), out)


def _write_modules(out: Path, modules: Mapping[str, Arrays]) -> None:
    import torch

    torch.save({name: _as_tensors(arrays) for name, arrays in modules.items()}, out)


def _as_tensors(arrays: Arrays) -> dict[str, Any]:
    import torch

    def tensor(array: np.ndarray) -> torch.Tensor:
        has_type = array.dtype.kind in "biufc" and array.dtype.isnative
        return torch.from_numpy(np.ascontiguousarray(array) if has_type else _bytes_of(array))

    return {name: tensor(array) for name, array in arrays.items()}


def _write_csv(out: Path, columns: Arrays) -> None:
    flat: dict[str, Any] = {}
    for name, values in columns.items():
        if values.ndim == 1:
            flat[name] = values.tolist()
            continue
        for place in np.ndindex(values.shape[1:]):
            label = f"{name}[{', '.join(map(str, place))}]"
            flat[label] = values[(slice(None), *place)].tolist()
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(flat)
        writer.writerows(zip(*flat.values(), strict=True))


_WRITERS: dict[str, Callable[[Path, Arrays], None]] = {
    "csv": _write_csv,
    "npz": _write_npz,
    "pt": _write_pt,
    "safetensors": _write_safetensors,
}
