"""After a power cut, what was not synced may be lost; the snapshot promised last is there.

A model keeps, beside the real files, what a disk would hold if the power went now: content that was
synced, and names in directories that were. Each operation since may have arrived or not, whatever
became of the others. Such disks are made for real and opened.
"""

import os
import random
import shutil
from pathlib import Path

import pytest

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot.filesystem import FileSystem
from garage_like.snapshot.loading import load_snapshot
from garage_like.snapshot.manifest import Manifest
from garage_like.snapshot.store import SnapshotStore, problems_of

STATES = 4


class File:
    def __init__(self):
        self.content = self.durable = b""


class Folder:
    def __init__(self):
        self.entries = {}
        self.durable = {}


class Disk(FileSystem):
    """Do everything for real, and remember what would survive a power cut."""

    def __init__(self, run_dir):
        self.run_dir = run_dir
        self.root = Folder()
        self.pending = []
        self.after_each = lambda: None

    def place(self, path):
        """Return the folder that holds a path, and its name there."""
        folder = self.root
        *parents, name = Path(path).relative_to(self.run_dir).parts
        for part in parents:
            folder = folder.entries[part]
        return folder, name

    def change(self, *changes):
        """Change names, at once for the process and some time later for the disk.

        What happens to the disk happens together: a rename is two changes and one event.
        """
        for folder, name, node in changes:
            self.set(folder.entries, name, node)
        self.pending.append(changes)
        self.after_each()

    @staticmethod
    def set(entries, name, node):
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node

    def make_dir(self, path):
        super().make_dir(path)
        self.change((*self.place(path), Folder()))

    def write_file(self, path, pieces):
        folder, name = self.place(path)
        self.writing = File()
        self.change((folder, name, self.writing))
        super().write_file(path, pieces)

    def write_all(self, descriptor, piece):
        super().write_all(descriptor, piece)
        self.writing.content += bytes(piece)
        self.after_each()

    def sync_file(self, descriptor):
        self.writing.durable = self.writing.content
        self.after_each()

    def sync_dir(self, path):
        if Path(path) == self.run_dir or self.run_dir in Path(path).parents:
            folder = self.root
            for part in Path(path).relative_to(self.run_dir).parts:
                folder = folder.entries[part]
            self.flush(lambda changes: any(change[0] is folder for change in changes))
            self.after_each()

    def flush(self, which):
        for changes in [changes for changes in self.pending if which(changes)]:
            self.apply(changes)
        self.pending = [changes for changes in self.pending if not which(changes)]

    def apply(self, changes, durable=None):
        for folder, name, node in changes:
            entries = (
                folder.durable
                if durable is None
                else durable.setdefault(id(folder), dict(folder.durable))
            )
            self.set(entries, name, node)

    def link(self, source, target):
        super().link(source, target)
        folder, name = self.place(source)
        self.change((*self.place(target), folder.entries[name]))

    def rename(self, source, target):
        super().rename(source, target)
        folder, name = self.place(source)
        node = folder.entries[name]
        self.change((folder, name, None), (*self.place(target), node))

    def remove_tree(self, path):
        for folder, _, files in os.walk(path, topdown=False):
            for name in files:
                os.unlink(Path(folder) / name)
                self.change((*self.place(Path(folder) / name), None))
            os.rmdir(folder)
            self.change((*self.place(folder), None))

    def cut(self, target, rng, chance):
        """Make a disk as it may be found after a power cut.

        Args:
            target: directory to make it in.
            rng: decides what arrived.
            chance: of an operation that was not synced to have arrived.
        """
        arrived = {}
        for changes in self.pending:
            if rng.random() < chance:
                self.apply(changes, arrived)
        self.lay_out(self.root, target, arrived, rng)

    def lay_out(self, folder, target, arrived, rng):
        target.mkdir()
        for name, node in arrived.get(id(folder), folder.durable).items():
            if isinstance(node, Folder):
                self.lay_out(node, target / name, arrived, rng)
            elif node.durable == node.content:
                (target / name).write_bytes(node.durable)
            else:
                lost = [b"", node.content[: len(node.content) // 2], bytes(len(node.content))]
                (target / name).write_bytes(rng.choice([*lost, node.content]))


class Sloppy(Disk):
    """A disk that is asked to sync and does not."""

    def __init__(self, run_dir, forgets):
        super().__init__(run_dir)
        self.forgets = forgets

    def sync_file(self, descriptor):
        if "files" not in self.forgets:
            super().sync_file(descriptor)

    def sync_dir(self, path):
        if "names" not in self.forgets:
            super().sync_dir(path)


def content_of(epoch):
    return {
        "objects.pkl": [f"objects of {epoch}".encode() * 20],
        "tensors/policy.safetensors": [f"weights of {epoch}".encode() * 50],
        "tensors/fixed.safetensors": [b"never changes" * 40],
    }


def save_under_power_cuts(disk, tmp_path, seed):
    """Save epochs and remove old ones, cutting the power after each operation; return faults."""
    rng = random.Random(seed)
    promised, saving, faults, states = -1, -1, [], 0

    def look():
        nonlocal states
        for number in range(STATES):
            states += 1
            found_at = tmp_path / "after the cut"
            disk.cut(found_at, rng, (0.0, 1.0, 0.5)[min(number, 2)])
            fault = fault_after_cut(found_at, promised, saving)
            if fault:
                faults.append(fault)
            shutil.rmtree(found_at)

    store = SnapshotStore.of_run(disk.run_dir, disk)
    disk.after_each = look
    store.open()
    for saving in (0, 1, 2, 2):
        store.commit(Manifest(epoch=saving), content_of(saving))
        promised = saving
        store.remove([epoch for epoch in store.epochs() if epoch < saving - 1])
    assert states > 200
    return faults


def fault_after_cut(run_dir, promised, saving):
    """Open what a power cut left; return what is wrong with it."""
    store = SnapshotStore.of_run(run_dir)
    store.open()
    try:
        loaded = load_snapshot(run_dir)
    except SnapshotNotFoundError:
        return "nothing to go on from" if promised >= 0 else None
    except Exception as error:
        return repr(error)
    epoch = loaded.manifest.epoch
    if not promised <= epoch <= saving:
        return f"epoch {epoch}, but {promised} was promised and {saving} was being saved"
    if loaded.files["objects.pkl"] != content_of(epoch)["objects.pkl"][0]:
        return f"other content in epoch {epoch}"
    damaged = [e for e in store.epochs() if e >= promised and problems_of(store.path(e))]
    return f"damaged: {damaged}" if damaged else None


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 6))]
)
def test_snapshot_that_was_promised_survives_a_power_cut(seed, run_dir, tmp_path):
    assert save_under_power_cuts(Disk(run_dir), tmp_path, seed) == []


@pytest.mark.filterwarnings("ignore:snapshot of epoch")
@pytest.mark.parametrize("forgets", ["files", "names"])
def test_model_finds_what_is_lost_without_syncing(forgets, run_dir, tmp_path):
    assert save_under_power_cuts(Sloppy(run_dir, forgets), tmp_path, 0) != []
