"""A model of what a POSIX file system may hold after a power cut.

Beside the real files it keeps what a disk would hold if the power went now:

- content that was not synced may be there, be missing, be there in part, or be zeros;
- a name that was made, removed, linked or moved in a directory that was not synced since may have
  arrived or not, whatever became of the others: any subset of such operations is possible.

A rename is one operation: the old name goes when the new one comes. What the model leaves out: that
a disk lies about having synced, and that it damages what it held before.
"""

import itertools
import os
import random
from pathlib import Path

from garage_like.snapshot.disk.filesystem import FileSystem

LOST = ("nothing", "half", "zeros")


class File:
    def __init__(self, content=b""):
        self.content = self.durable = content

    def found(self, what):
        """Return the content after a power cut."""
        if what == "all" or self.durable == self.content:
            return self.content
        half = self.content[: len(self.content) // 2]
        return {"nothing": b"", "half": half, "zeros": bytes(len(self.content))}[what]


class Folder:
    def __init__(self):
        self.entries = {}
        self.durable = {}


class Disk(FileSystem):
    """Do everything for real, and remember what would survive a power cut.

    Args:
        root: an existing directory; what is in it is taken as durable.
        dropped: the number of a sync, counted from 0, that is forgotten about; None: none.

    Attributes:
        num_operations: what was done so far.
        num_syncs: how many syncs were asked for so far.
        after_each: called after each operation.
    """

    def __init__(self, root, dropped=None):
        self.disk = root
        self.root = self._existing(root)
        self.pending = []
        self.dropped = dropped
        self.num_operations = self.num_syncs = 0
        self.after_each = lambda: None
        self._writing = {}

    def _existing(self, path):
        folder = Folder()
        for entry in path.iterdir():
            is_folder = entry.is_dir()
            node = self._existing(entry) if is_folder else File(entry.read_bytes())
            folder.entries[entry.name] = folder.durable[entry.name] = node
        return folder

    # ---- what is done -----------------------------------------------------------------------

    def make_dir(self, path):
        super().make_dir(path)
        self._change((*self._place(path), Folder()))

    def write_file(self, path, pieces):
        folder, name = self._place(path)
        assert name not in folder.entries
        self._change((folder, name, File()))
        self._writing = folder.entries[name]
        super().write_file(path, pieces)

    def write_all(self, descriptor, piece):
        super().write_all(descriptor, piece)
        self._writing.content += bytes(piece)
        self._done()

    def sync_file(self, descriptor):
        if not self._writing.content or self._heeds():  # an empty file has nothing to lose
            self._writing.durable = self._writing.content
        self._done()

    def sync_dir(self, path):
        if not Path(path).absolute().is_relative_to(self.disk):
            return
        if self._heeds():
            folder = self._folder(path)
            arrived = [c for c in self.pending if any(change[0] is folder for change in c)]
            self.pending = [c for c in self.pending if c not in arrived]
            for changes in arrived:
                for changed, name, node in changes:
                    self._set(changed.durable, name, node)
        self._done()

    def link(self, source, target):
        super().link(source, target)
        folder, name = self._place(source)
        self._change((*self._place(target), folder.entries[name]))

    def rename(self, source, target):
        super().rename(source, target)
        folder, name = self._place(source)
        node = folder.entries[name]
        self._change((folder, name, None), (*self._place(target), node))

    def remove_file(self, path):
        super().remove_file(path)
        self._change((*self._place(path), None))

    def remove_tree(self, path):
        for folder, _, files in os.walk(path, topdown=False):
            for name in files:
                self.remove_file(Path(folder) / name)
            os.rmdir(folder)
            self._change((*self._place(folder), None))

    def _heeds(self):
        self.num_syncs += 1
        return self.num_syncs - 1 != self.dropped

    def _done(self):
        self.num_operations += 1
        self.after_each()

    def _folder(self, path):
        folder = self.root
        for part in Path(path).absolute().relative_to(self.disk).parts:
            folder = folder.entries[part]
        return folder

    def _place(self, path):
        return self._folder(Path(path).parent), Path(path).name

    def _change(self, *changes):
        for folder, name, node in changes:
            self._set(folder.entries, name, node)
        self.pending.append(changes)
        self._done()

    @staticmethod
    def _set(entries, name, node):
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node

    # ---- what is found ----------------------------------------------------------------------

    def states(self, number, rng):
        """Yield what may be found after a power cut now: all states if they are few, or `number`.

        Each is a tree: a dict of names, of bytes or dicts.
        """
        seen = set()
        for arrived, lost in self._outcomes(number, rng):
            tree = self._tree(self.root, self._entries(arrived), lost)
            key = repr(tree)
            if key not in seen:
                seen.add(key)
                yield tree
                if len(seen) == number:
                    return

    def _outcomes(self, number, rng):
        """Yield the operations that arrived, and a function that says what became of content."""
        yield [], lambda: "nothing"
        if 2 ** len(self.pending) * len(LOST) <= 4 * number:
            for bits in itertools.product((False, True), repeat=len(self.pending)):
                for lost in (*LOST, "all"):
                    yield self._chosen(bits), lambda lost=lost: lost
            return
        for lost in (*LOST, "all"):
            yield self.pending, lambda lost=lost: lost
        for _ in range(4 * number):
            chance = rng.choice((0.1, 0.5, 0.5, 0.9))
            yield (
                self._chosen([rng.random() < chance for _ in self.pending]),
                lambda: rng.choice((*LOST, "all")),
            )

    def _chosen(self, bits):
        return [changes for changes, bit in zip(self.pending, bits, strict=True) if bit]

    @staticmethod
    def _entries(arrived):
        entries = {}
        for changes in arrived:
            for folder, name, node in changes:
                Disk._set(entries.setdefault(id(folder), dict(folder.durable)), name, node)
        return entries

    def _tree(self, folder, arrived, lost):
        return {
            name: self._tree(node, arrived, lost)
            if isinstance(node, Folder)
            else node.found(lost())
            for name, node in sorted(arrived.get(id(folder), folder.durable).items())
        }


def lay_out(tree, path):
    """Make a tree for real."""
    path.mkdir()
    for name, node in tree.items():
        if isinstance(node, dict):
            lay_out(node, path / name)
        else:
            (path / name).write_bytes(node)


def seeded(number):
    """Return a source of chance."""
    return random.Random(number)
