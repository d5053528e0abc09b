"""Checkpoints of other libraries as arrays by name; no code that a file brings along is run.

Reads: files of `torch.save` (skrl, rl_games, CleanRL, bare state dicts), `.safetensors`, `.npz`,
zips of Stable-Baselines3, directories of Velora and CO-GYM, snapshots of garage_like, and what lies
in the Hugging Face Hub's cache. In a zip of Stable-Baselines3 only the weights are read, as data:
`data`, where objects are pickled, is not.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.interop.hub_cache import checkpoint_in, files_of, is_files_of_a_repository
from garage_like.interop.statistics import (
    ObservationStatistics,
    read_vec_normalize,
    split_statistics,
)
from garage_like.interop.torch_files import load_torch
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS
from garage_like.snapshot.disk.tensors import parse

MAX_BYTES = 1 << 33
_SB3_WEIGHTS = "policy.pth"
_SB3_VARIABLES = "pytorch_variables.pth"
_VELORA = "model_state.safetensors"
_WRAPPERS = {"module", "_orig_mod"}
_CLEANRL_PARTS = ("actor", "qf1", "qf2")
# What each library divides by, and clips normalised observations to, unless told otherwise.
_CONVENTIONS: dict[str, dict[str, Any]] = {
    "skrl": {"epsilon": 1e-8, "clip": 5.0, "epsilon_in_root": False},
    "rl_games": {"epsilon": 1e-5, "clip": 5.0, "epsilon_in_root": True},
}


@dataclass
class Checkpoint:
    """The arrays of a checkpoint.

    Attributes:
        origin: what messages call it: a path, or `a state dict`.
        format: that of the library that wrote it, or `state dict`.
        arrays: by name, the parts of which are joined by dots.
        is_ordered: whether arrays come in the order in which the network's layers were made; a
            safetensors file sorts them by name.
        statistics: that observations, and maybe values, were normalised by.
        notes: what was left aside.
    """

    origin: str
    format: str
    arrays: dict[str, np.ndarray]
    is_ordered: bool = True
    statistics: list[ObservationStatistics] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_checkpoint(source: Any) -> Checkpoint:
    """Read a checkpoint as data.

    Args:
        source: a path, ORG/NAME of a repository in the Hub's cache, or a mapping of names to
            arrays or tensors, nested or not.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no checkpoint of a known kind, or only code could read it.
        TypeError: if the source is neither a path nor a mapping.
    """
    if isinstance(source, Mapping):
        found = _from_loaded(source, "a state dict")
    elif isinstance(source, str | os.PathLike):
        found = _from_path(files_of(Path(source)))
    else:
        raise TypeError(
            "migrate: source must be a path or a mapping of names to arrays, got"
            f" {type(source).__name__}"
        )
    if not found.arrays and not found.statistics:
        raise ValueError(f"{found.origin}: no arrays in it")
    conventions = _CONVENTIONS.get(found.format, {})
    found.arrays, in_arrays = split_statistics(found.arrays, **conventions)
    found.statistics = [*found.statistics, *in_arrays]
    return found


def _from_path(path: Path) -> Checkpoint:
    if path.is_dir():
        return _from_directory(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path}: {path.stat().st_size} bytes; at most {MAX_BYTES} are read")
    if path.suffix == ".safetensors":
        library = "Velora" if path.name == _VELORA else "state dict"
        return Checkpoint(str(path), library, _read_safetensors(path), is_ordered=False)
    if path.suffix == ".npz":
        return Checkpoint(str(path), "state dict", _read_npz(path))
    if _is_sb3(path):
        return _from_sb3(path)
    found = _from_loaded(load_torch(path, str(path)), str(path))
    if path.suffix == ".cleanrl_model":
        found.format = "CleanRL"
    return found


def _from_directory(path: Path) -> Checkpoint:
    if (path / _VELORA).is_file():
        return _from_path(path / _VELORA)
    if (path / SNAPSHOTS).is_dir() or (path / MANIFEST).is_file():
        return _from_snapshot(path)
    if is_files_of_a_repository(path):
        return _from_path(checkpoint_in(path))
    from garage_like.interop.co_gym import read_co_gym

    parts, statistics, notes = read_co_gym(path)
    found = _from_loaded(parts, str(path))
    found.format, found.statistics = "CO-GYM", statistics
    found.notes += notes
    return found


def _from_snapshot(path: Path) -> Checkpoint:
    from garage_like.snapshot.kinds.arrays import as_the_run_sees_them
    from garage_like.snapshot.reader import read_snapshot

    snapshot = read_snapshot(path)
    arrays = {
        f"{component}.{name}": array
        for component in snapshot.components
        if "optimizer" not in component
        for name, array in as_the_run_sees_them(snapshot.tensors(component)).items()
    }
    return Checkpoint(str(snapshot.path), "garage_like", arrays, is_ordered=False)


def _from_sb3(path: Path) -> Checkpoint:
    arrays: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive:
        for member, prefix in ((_SB3_WEIGHTS, ""), (_SB3_VARIABLES, "pytorch_variables.")):
            if member not in archive.namelist():
                continue
            if archive.getinfo(member).file_size > MAX_BYTES:
                raise ValueError(f"{path}: {member} would take more than {MAX_BYTES} bytes")
            loaded = load_torch(archive.read(member), f"{path}: {member}")
            if loaded is not None:
                found = _flatten(loaded)
                arrays.update({prefix + name: array for name, array in found.items()})
    checkpoint = Checkpoint(str(path), "Stable-Baselines3", arrays)
    beside = next((name for name in _names_of_vec_normalize(path) if name.is_file()), None)
    if beside is not None:
        try:
            checkpoint.statistics = [read_vec_normalize(beside)]
            note = f"statistics of observations are those of {beside.name} beside it"
        except ValueError as error:
            note = f"statistics of observations are left aside: {error}"
        checkpoint.notes.append(note)
    return checkpoint


def _names_of_vec_normalize(path: Path) -> list[Path]:
    """List where statistics are kept beside a zip; CheckpointCallback puts a word in the name."""
    prefix, _, steps = path.stem.removesuffix("_steps").rpartition("_")
    names = [f"{path.stem}_vecnormalize.pkl", f"{prefix}_vecnormalize_{steps}_steps.pkl"]
    return [path.with_name(name) for name in (*names, "vecnormalize.pkl", "vec_normalize.pkl")]


def _is_sb3(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return _SB3_WEIGHTS in archive.namelist()


def _from_loaded(loaded: Any, origin: str) -> Checkpoint:
    """Tell from the names which library arranged the content of a file."""
    library, notes = "state dict", []
    if isinstance(loaded, tuple | list) and all(isinstance(one, Mapping) for one in loaded):
        library = "CleanRL"
        loaded = dict(zip(_CLEANRL_PARTS, loaded, strict=False))
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{origin}: expected names of arrays, found {type(loaded).__name__}")
    if isinstance(loaded.get("model"), Mapping) and any(
        "a2c_network" in k for k in loaded["model"]
    ):
        library, loaded = "rl_games", loaded["model"]
    elif isinstance(loaded.get("model_weights"), Mapping):
        library, loaded = "CleanRL", loaded["model_weights"]
    elif isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    elif {"policy", "q_network"} & set(loaded) and all(
        isinstance(part, Mapping) for part in loaded.values()
    ):
        library = "skrl"
    slots = [name for name, part in loaded.items() if _is_optimizer(name, part)]
    if slots:
        notes.append(f"state of optimizers is not taken: {', '.join(map(str, slots))}")
    kept = {name: part for name, part in loaded.items() if name not in slots}
    return Checkpoint(origin, library, _flatten(kept), notes=notes)


def _is_optimizer(name: Any, part: Any) -> bool:
    return isinstance(part, Mapping) and ("param_groups" in part or "optim" in str(name))


def _flatten(part: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Name arrays in nested containers by their path; numbers and texts are passed over."""
    if isinstance(part, Mapping):
        items = [(str(name), value) for name, value in part.items()]
    elif isinstance(part, list | tuple):
        items = [(str(place), value) for place, value in enumerate(part)]
    else:
        array = as_array(part)
        return {} if array is None else {_bare(prefix): array}
    found: dict[str, np.ndarray] = {}
    for name, value in items:
        found.update(_flatten(value, f"{prefix}.{name}" if prefix else name))
    return found


def _bare(name: str) -> str:
    """Take away what DataParallel and torch.compile put into names."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def as_array(value: Any) -> np.ndarray | None:
    """Return a tensor, variable or array of numbers as an array; None for anything else."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        value = value.numpy()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value
    return None


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    tensors = parse(bytearray(path.read_bytes()), str(path))
    return {_bare(name): tensor.array() for name, tensor in tensors.items()}


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: cannot be read as arrays of numbers: {error}") from error
