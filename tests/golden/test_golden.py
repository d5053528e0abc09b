"""Snapshots of every released format load for ever: their arrays bit for bit, and training goes on.

What is computed from them may differ in the last bits with versions and processors.
"""

import ast
import importlib.util
import json
import math
import pickletools
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import make

import garage_like
from garage_like.snapshot import read_snapshot
from garage_like.snapshot.capture import capture
from garage_like.snapshot.disk.tensors import parse
from garage_like.snapshot.graph.walk import walk
from garage_like.snapshot.loading import load_snapshot

MAX_BYTES = 100_000
NEEDS = {"tf": "tensorflow", "torch": "torch", "np_cma_es": "cma"}


def kept(slow: str = "none") -> list:
    """List the golden snapshots; those of packages that are not installed are skipped.

    Args:
        slow: the backend whose snapshots are left to the slow tests.
    """
    found = []
    for path in sorted(make.GOLDEN.glob("*/snapshots")):
        name = path.parent.name
        backend = name.partition("_")[0]
        package = NEEDS.get(name) or NEEDS.get(backend, "numpy")
        missing = importlib.util.find_spec(package) is None
        marks = [pytest.mark.skipif(missing, reason=f"{package} is not installed")]
        marks += [pytest.mark.slow] if backend == slow else []
        found.append(pytest.param(name, marks=marks))
    return found


def tensors_of(name: str) -> dict[tuple[str, str], np.ndarray]:
    snapshot = read_snapshot(make.GOLDEN / name)
    return {
        (component, key): array
        for component in snapshot.components
        for key, array in snapshot.tensors(component).items()
    }


def test_each_family_has_a_snapshot() -> None:
    assert {path.parent.name for path in make.GOLDEN.glob("*/next.json")} == set(make.FAMILIES)


@pytest.mark.parametrize("backend", ["np", "torch", "tf"])
def test_each_algorithm_has_a_family(backend: str) -> None:
    """So that no algorithm's snapshots can become unreadable without a word."""
    package = Path(garage_like.__file__).parent / backend / "algos" / "__init__.py"
    names = ast.literal_eval(package.read_text().partition("__all__ = ")[2])
    source = (Path(__file__).parent / f"{backend}_families.py").read_text()
    # Base classes, which are not made by themselves.
    bases = {"MetaRLAlgorithm", "ParameterSearch", "RLAlgorithm", "RL2"}
    lacking = {n for n in names if n[0].isupper() and not re.search(rf"\b{n}\b", source)}
    assert lacking - bases == set()


@pytest.mark.parametrize("name", kept())
def test_golden_snapshot_is_small_and_whole(name: str) -> None:
    files = [path for path in (make.GOLDEN / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    assert read_snapshot(make.GOLDEN / name).problems() == []


@pytest.mark.parametrize("name", kept())
def test_golden_snapshot_has_nothing_of_where_it_was_made(name: str) -> None:
    snapshot = make.GOLDEN / name / "snapshots" / "epoch_000001"
    assert json.loads((snapshot / "manifest.json").read_bytes())["written_by"] == ""
    content = (snapshot / "objects.pkl").read_bytes()
    names = {argument for _, argument, _ in pickletools.genops(content) if type(argument) is str}
    assert "CodeType" not in names, "code of one version of Python, which others cannot read"
    assert [name for name in names if re.match(r"/\w+/\w", name)] == []


@pytest.mark.parametrize("name", kept())
def test_restored_objects_hold_the_stored_arrays_bit_for_bit(name: str) -> None:
    with make.trainer_of(name, Path("unused")):
        graph = load_snapshot(make.GOLDEN / name).graph(trust=True)
        captured = capture(graph)
        assert type(graph["algo"]).__module__.startswith("garage_like.")
    restored = {
        (Path(path).stem, key): tensor.array()
        for path, pieces in captured.files.items()
        if path.startswith("tensors/")
        for key, tensor in parse(bytearray(b"".join(pieces)), path).items()
    }
    seeds = {pool.tobytes() for path, pool in walk(graph) if path.endswith(".seed_seq.pool")}
    stored = tensors_of(name)
    for key in [key for key in stored if key[1].endswith("seed_seq.pool")]:
        assert stored.pop(key).tobytes() in seeds, key  # captures tell what it follows from
    assert stored
    assert [key for key in stored if key not in restored] == []
    for key, array in stored.items():
        assert restored[key].dtype == array.dtype, key
        assert restored[key].tobytes() == array.tobytes(), key


@pytest.mark.parametrize("name", kept(slow="tf"))
def test_training_goes_on_as_it_would_have(name: str) -> None:
    expected = json.loads((make.GOLDEN / name / "next.json").read_text())
    found = make.next_row(name, make.GOLDEN / name)
    assert [column for column in expected if column not in found] == []
    # Conjugate gradients in float32 amplify the last bits, in which processors differ.
    tolerance = 2e-2 if "trpo" in name else 1e-3
    for column, value in expected.items():
        assert math.isclose(found[column], value, rel_tol=tolerance, abs_tol=1e-4), column
