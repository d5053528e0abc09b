"""Save and prune as fast as can be: racing_writer.py RUN_DIR NUM_SAVES."""

import sys
from pathlib import Path

import numpy as np

from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.snapshotter import Snapshotter


class Part:
    def __init__(self):
        self.fixed = np.arange(2000.0)
        self.weights = np.zeros(500)


def main(run_dir, num_saves):
    snapshotter = Snapshotter(
        SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="last", async_save=False)
    )
    part = Part()
    for epoch in range(num_saves):
        part.weights += 1
        snapshotter.save({"part": part}, Manifest(epoch=epoch))
        if epoch % 10 == 5:
            part.weights += 0
            snapshotter.save({"part": part}, Manifest(epoch=epoch))
        if epoch == 1:
            print("begun", flush=True)


main(Path(sys.argv[1]), int(sys.argv[2]))
