"""What is written behind training is what stood when it was captured, and takes bounded memory."""

import os
import threading
import time

import gymnasium
import numpy as np
import pytest
import torch

from garage_like.data.env_spec import EnvSpec
from garage_like.envs import PointEnv
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.torch_slots import rows_of
from garage_like.snapshot.staging import CHUNK
from garage_like.torch.optimizers.flat_memory import lay_flat

MIB = 1 << 20
HELD_SAVES = 50


class Learner:
    """Two networks, one of them with an optimizer, and a replay memory of several groups.

    Args:
        spec: of the transitions.
        rows: of the memory.
        env: one of MuJoCo, which moves along.
    """

    def __init__(self, spec: EnvSpec, rows: int = 30_000, env: gymnasium.Env | None = None) -> None:
        self.rng = np.random.default_rng(3)
        self.policy = torch.nn.Linear(64, 64)
        self.target = torch.nn.Linear(64, 64)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.replay_buffer = PathBuffer(rows, spec)
        self.steps = 0
        self.env = env
        self.collect(rows)
        self.change()
        for name in ("step", "exp_avg", "exp_avg_sq"):
            lay_flat([slots[name] for slots in self.optimizer.state.values()])
        self.change()

    def collect(self, rows: int) -> None:
        buffer = self.replay_buffer
        values = {
            name: self.rng.normal(size=(rows, *column.shape)).astype(column.dtype)
            for name, column in buffer._table.columns.items()
        }
        buffer._table.write(0, values)

    def change(self) -> None:
        """Change every number that a snapshot holds, in place."""
        self.steps += 1
        self.optimizer.zero_grad()
        self.policy(torch.ones(1, 64)).sum().backward()
        self.optimizer.step()
        with torch.no_grad():
            for parameter in self.target.parameters():
                parameter.add_(1.0)
        self.collect(self.replay_buffer.capacity)
        if self.env is not None:
            self.env.step(self.env.action_space.sample())
            self.env.unwrapped.model.opt.gravity[2] -= 0.01


@pytest.fixture
def moving():
    """An environment that captures by way of a twin."""
    env = gymnasium.make("HalfCheetah-v5")
    env.reset(seed=1)
    env.action_space.seed(1)
    return env


@pytest.fixture
def spec():
    return PointEnv().spec


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["all", "last"])
def test_what_is_restored_is_always_what_stood_at_the_call(mode, spec, moving, tmp_path):
    learner, delays = Learner(spec, rows=2_000, env=moving), np.random.default_rng(7)
    config = SnapshotConfig(
        snapshot_dir=tmp_path, snapshot_mode=mode, max_to_keep=2 if mode == "all" else None
    )
    snapshotter = Snapshotter(config)
    for epoch in range(100):
        stood = leaves({"algo": learner})
        snapshotter.save({"algo": learner}, Manifest(epoch=epoch))
        time.sleep(delays.exponential(0.002))
        learner.change()
        assert not snapshotter.wait().errors
        assert leaves({"algo": snapshotter.load(tmp_path, epoch)["algo"]}) == stood, epoch
        assert leaves({"algo": learner}) != stood
    snapshotter.close()


def test_three_saves_in_a_row_differ_as_the_live_states_did(spec, moving, tmp_path):
    learner, stood = Learner(spec, rows=2_000, env=moving), []
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    for epoch in range(3):
        stood.append(leaves({"algo": learner}))
        snapshotter.save({"algo": learner}, Manifest(epoch=epoch))
        learner.change()
    snapshotter.close()
    assert rows_of(learner.optimizer) is not None, "slots are captured in rows"
    found = [leaves({"algo": snapshotter.load(tmp_path, e)["algo"]}) for e in range(3)]
    assert found == stood
    assert found[0] != found[1] != found[2]


class HeldFileSystem(FileSystem):
    """A disk that takes no file until it is let go."""

    def __init__(self) -> None:
        self.may_write = threading.Event()
        self.is_asked = threading.Event()

    def write_file(self, path, pieces):
        self.is_asked.set()
        assert self.may_write.wait(60)
        super().write_file(path, pieces)


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_is_bounded_while_the_disk_is_held(spec, tmp_path):
    """One capture is being written, one waits, and one is being taken: three at most."""
    learner, disk = Learner(spec), HeldFileSystem()
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path), filesystem=disk)
    table = learner.replay_buffer._table
    captured = table.num_rows * table.row_bytes
    assert captured > MIB
    snapshotter.save({"algo": learner}, Manifest(epoch=0))
    assert disk.is_asked.wait(60)
    before = resident_bytes()
    for epoch in range(1, HELD_SAVES):
        learner.change()
        stood = leaves({"algo": learner})
        snapshotter.save({"algo": learner}, Manifest(epoch=epoch))
    grown = resident_bytes() - before
    assert grown < 2 * (captured + 2 * CHUNK) + 8 * MIB
    assert grown < HELD_SAVES * captured / 4
    assert snapshotter.num_replaced == HELD_SAVES - 2
    disk.may_write.set()
    report = snapshotter.close()
    assert (report.committed, report.errors) == ([0, HELD_SAVES - 1], [])
    assert snapshotter.store.manifest(HELD_SAVES - 1).num_replaced == HELD_SAVES - 2
    assert leaves({"algo": snapshotter.load(tmp_path)["algo"]}) == stood
