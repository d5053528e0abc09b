"""Figures that the suites of trust reach are shown at the end: `make trust` prints them."""

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest

FIGURES = Counter()


@pytest.fixture
def figures():
    """What has been tried, by name; printed when all is over."""
    return FIGURES


@pytest.fixture
def documented():
    """What docs/snapshots.md says of what was made to fail: three numbers, by how a row begins."""
    found = {}
    for line in (Path(__file__).parents[2] / "docs" / "snapshots.md").read_text().splitlines():
        cells = [cell.strip().replace(",", "") for cell in line.strip("|").split("|")]
        if len(cells) == 4 and all(cell.isdigit() for cell in cells[1:]):
            tried, lost, other = map(int, cells[1:])
            assert tried == lost + other, line
            found[cells[0].split()[0]] = (tried, lost, other)
    return found


@pytest.fixture
def save(tmp_path):
    """Save a graph as the snapshot of an epoch; return its directory."""
    snapshotter = Snapshotter(
        SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all", async_save=False)
    )

    def save_graph(graph, epoch=0):
        return snapshotter.save(graph, Manifest(epoch=epoch))

    return save_graph


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: on a disk, each sync takes its time."""
    in_memory = Path("/dev/shm")
    if not os.access(in_memory, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=in_memory))
    yield folder
    shutil.rmtree(folder)


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("what the promises were tried on")
    for name, count in FIGURES.items():
        terminalreporter.write_line(f"{count:>9,}  {name}")
