"""After a power cut, what was not synced may be lost; the snapshot promised last is there.

The power is cut after each operation of a history that saves, links, replaces, prunes, pins, sets
aside and goes back, in 24 ways each (or in all there are). And each sync of that history is left
out in turn: the test must notice every one.
"""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from disk_model import Disk, lay_out, seeded

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot.disk import layout, pins
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore, problems_of
from garage_like.snapshot.loading import load_snapshot

STATES = 24
RUN = Path("data/run")


@dataclass
class Promise:
    """What must be found, and what may be: versions of content by epoch."""

    must: dict[int, set[int]] = field(default_factory=dict)
    may: dict[int, set[int]] = field(default_factory=dict)
    must_pin: set[int] = field(default_factory=set)
    may_pin: set[int] = field(default_factory=set)

    def broken_by(self, run_dir):
        """Open what a power cut left; return what is wrong with it, or None."""
        store = SnapshotStore.of_run(run_dir)
        if run_dir.is_dir():
            store.open()
        found = store.epochs()
        if not set(self.must) <= set(found) <= {*self.must, *self.may}:
            return f"epochs {found}; {sorted(self.must)} were promised, maybe {sorted(self.may)}"
        for epoch in found:
            allowed = self.must.get(epoch, set()) | self.may.get(epoch, set())
            problem = self._problem_of(store.path(epoch), epoch, allowed)
            if problem:
                return problem
        pinned = pins.pinned_epochs(store.dir)
        if not self.must_pin <= pinned <= self.must_pin | self.may_pin:
            return f"pinned: {pinned}, not {self.must_pin} and maybe {self.may_pin}"
        return self._loaded_is_not(run_dir, found)

    @staticmethod
    def _problem_of(path, epoch, allowed):
        if problems := problems_of(path):
            return problems[0]
        held = {name: (path / name).read_bytes() for name in content_of(epoch, 0)}
        if not any(held == joined(content_of(epoch, version)) for version in allowed):
            return f"{path.name}: other content than was ever saved"
        return None

    @staticmethod
    def _loaded_is_not(run_dir, found):
        try:
            loaded = load_snapshot(run_dir)
        except SnapshotNotFoundError as error:
            return str(error) if found else None
        return None if loaded.manifest.epoch == found[-1] else f"loads {loaded.manifest.epoch}"


def content_of(epoch, version):
    return {
        "objects.pkl": [b"objects of %d" % epoch * 20, b"version %d" % version],
        "tensors/policy.safetensors": [b"weights of %d" % epoch * 50],
        "tables/memory/rows_0.safetensors": [b"never changes" * 40],
        "tables/memory/rows_1.safetensors": [b"changes at times %d" % (epoch // 3)],
    }


def joined(files):
    return {name: b"".join(pieces) for name, pieces in files.items()}


class History:
    """What a run does to its snapshots, and what may be relied on at each moment."""

    def __init__(self, disk):
        self.disk = disk
        self.run_dir = disk.disk / RUN
        self.promise = Promise()
        disk.make_dir(self.run_dir.parent)
        disk.make_dir(self.run_dir)
        self.store = SnapshotStore.of_run(self.run_dir, disk)
        self.store.open()

    def save(self, epoch, version=0):
        promise = self.promise
        promise.may = {epoch: promise.must.pop(epoch, set()) | {version}}
        if promise.may[epoch] != {version}:
            promise.must[epoch] = promise.may[epoch]
        self.store.commit(Manifest(epoch=epoch), content_of(epoch, version))
        promise.must[epoch], promise.may = {version}, {}
        self.disk.after_each()

    def gives_up(self, epochs, how):
        """Do something after which epochs are no longer there; until then, they may be."""
        promise = self.promise
        promise.may = {epoch: promise.must.pop(epoch) for epoch in epochs}
        promise.may_pin = {epoch for epoch in epochs if epoch in promise.must_pin}
        promise.must_pin -= promise.may_pin
        how()
        promise.may, promise.may_pin = {}, set()
        self.disk.after_each()

    def prune(self, *epochs):
        self.gives_up(epochs, lambda: self.store.remove(epochs))

    def set_aside(self, epoch):
        self.gives_up([epoch], lambda: self.store.set_aside(epoch))

    def go_back_to(self, epoch):
        later = [other for other in self.promise.must if other > epoch]
        self.gives_up(later, lambda: self.store.orphan_after(epoch))

    def pin(self, epoch):
        self.promise.may_pin = {epoch}
        pins.pin(self.store.path(epoch), self.disk)
        self.promise.must_pin, self.promise.may_pin = self.promise.must_pin | {epoch}, set()
        self.disk.after_each()

    def unpin(self, epoch):
        self.promise.may_pin = {epoch}
        self.promise.must_pin.remove(epoch)
        pins.unpin(self.store.path(epoch), self.disk)
        self.promise.may_pin = set()
        self.disk.after_each()

    def left_by_a_kill(self, epoch, as_name):
        """Leave what a kill in the middle leaves, and open the store again."""
        self.disk.rename(self.store.path(epoch), self.store.dir / as_name)
        self.store.open()

    def run(self):
        for epoch in (0, 1, 2):
            self.save(epoch)
        self.pin(0)
        self.save(2, version=1)
        self.prune(1)
        self.left_by_a_kill(2, f"{layout.REPLACED}epoch_000002")
        self.save(3)
        self.go_back_to(2)
        self.unpin(0)
        self.save(3, version=2)
        self.set_aside(3)
        self.save(4)
        self.prune(0, 2)


def cut_the_power(tmp_path, dropped=None, states=STATES, seed=0):
    """Run a history, cutting the power after each operation; return disk, faults and states."""
    rng, faults, tried = seeded(seed), [], [0]
    (tmp_path / "disk").mkdir()
    disk = Disk(tmp_path / "disk", dropped)

    def look():
        if dropped is not None and (disk.num_syncs <= dropped or faults):
            return  # as without the mutant; or it is caught already
        for tree in disk.states(states, rng):
            tried[0] += 1
            lay_out(tree, tmp_path / "after the cut")
            fault = history.promise.broken_by(tmp_path / "after the cut" / RUN)
            shutil.rmtree(tmp_path / "after the cut")
            if fault:
                faults.append(f"after operation {disk.num_operations}: {fault}")
                return

    history = History.__new__(History)
    history.promise = Promise()
    disk.after_each = look
    history.__init__(disk)
    history.run()
    return disk, faults, tried[0]


SAMPLES = [(4, 0), *(pytest.param(STATES, seed, marks=pytest.mark.slow) for seed in (1, 2))]


@pytest.mark.parametrize(("states", "seed"), SAMPLES)
def test_what_was_promised_survives_a_power_cut(states, seed, folder, figures):
    disk, faults, tried = cut_the_power(folder, states=states, seed=seed)
    assert faults == []
    assert disk.num_operations > 200
    figures["power cuts survived"] += tried
    figures["operations after which the power was cut"] = disk.num_operations


@pytest.mark.slow
def test_every_sync_that_is_left_out_is_noticed(folder, figures):
    (folder / "whole").mkdir()
    whole, _, _ = cut_the_power(folder / "whole", states=0)
    missed = []
    for dropped in range(whole.num_syncs):
        (folder / f"{dropped}").mkdir()
        _, faults, _ = cut_the_power(folder / f"{dropped}", dropped)
        shutil.rmtree(folder / f"{dropped}")
        if not faults:
            missed.append(dropped)
    assert missed == []
    figures["syncs left out, each noticed"] = whole.num_syncs
