import os
import subprocess
import sys
from pathlib import Path

import pytest

from garage_like.snapshot.capture import capture
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.snapshotter import Snapshotter

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reload():
    """Save and load a value as a snapshot would, without a file."""

    def save_and_load(value):
        pickler = GraphPickler({"value": value})
        content = pickler.save()
        buffers = [bytearray(buffer) for buffer in pickler.buffers]
        return GraphUnpickler(content, buffers).load()["value"]

    return save_and_load


@pytest.fixture
def run_python(tmp_path):
    """Run a script in a fresh process; its functions and classes live in `__main__`."""

    def run(code, *arguments, check=True, name="script.py"):
        script = tmp_path / name
        script.write_text(code)
        ran = subprocess.run(
            [sys.executable, "-W", "error", str(script), *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or ran.returncode == 0, ran.stderr
        return ran

    return run


@pytest.fixture
def snapshotter(tmp_path):
    """Keep every snapshot of a run in `tmp_path/run`."""
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    return Snapshotter(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all", async_save=False))


@pytest.fixture
def save(snapshotter):
    """Save a graph as the snapshot of an epoch; return its directory."""

    def save_graph(graph, epoch=0, **attributes):
        return snapshotter.save(graph, Manifest(epoch=epoch, **attributes))

    return save_graph


@pytest.fixture
def tensors_of():
    """Return what a capture of a graph writes: {component: {name: (dtype, shape)}}."""

    def describe(graph):
        from garage_like.snapshot.disk.tensors import parse

        found = {}
        for path, pieces in capture(graph).files.items():
            if path.startswith("tensors/"):
                tensors = parse(bytearray(b"".join(map(bytes, pieces))), path)
                component = path.removeprefix("tensors/").removesuffix(".safetensors")
                found[component] = {name: (t.dtype, t.shape) for name, t in tensors.items()}
        return found

    return describe
