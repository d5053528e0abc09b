"""Measure what a snapshot with a full replay memory costs: how long training stands still.

SAC's networks and 1,000,000 transitions of HalfCheetah, 1,000 of them new since the snapshot
before. Beside it, in turns, what others do to the same end: cloudpickle, torch.save, the `save` and
`save_replay_buffer` of Stable-Baselines3 (where it is installed), the asynchronous saves of
torch.distributed.checkpoint and, where BENCH_ORBAX names an interpreter that has it, of Orbax
(both: weights, slots and rows alone), and a bare copy of the bytes that changed. The median counts:
a shared machine's speed changes by the minute.
"""

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from pathlib import Path

import cloudpickle
import numpy as np
import torch
import with_orbax

from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.replay_buffer import PathBuffer
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.rng import get_global_rng
from garage_like.torch.algos import SAC
from garage_like.torch.policies import TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.trainer.state import Stats, TrainArgs

ENV = "HalfCheetah-v5"
HIDDEN = (256, 256)
NEW_ROWS = 1000
GRADIENT_STEPS = 100
MB = 1e-6


class CountingFileSystem(FileSystem):
    """Count the bytes that are written."""

    written = 0

    def write_all(self, descriptor, piece):
        self.written += len(piece)
        super().write_all(descriptor, piece)


class Run:
    """SAC with a memory that is full, as a trainer would hand it to the snapshotter."""

    def __init__(self, rows, folder):
        env = GymEnv(ENV)
        self.buffer = PathBuffer(rows, env.spec)
        self.rng = np.random.default_rng(1)
        policy = TanhGaussianMLPPolicy(env.spec, HIDDEN)
        qfs = [ContinuousMLPQFunction(env.spec, HIDDEN) for _ in range(2)]
        self.algo = SAC(env.spec, policy, *qfs, self.buffer)
        for _ in range(0, rows, NEW_ROWS):
            self.collect()
        self.graph = {
            "algo": self.algo,
            "env": env,
            "stats": Stats(),
            "train_args": TrainArgs(1000, NEW_ROWS, False, False, False),
            "rng": get_global_rng(),
        }
        folder.mkdir()
        self.disk = CountingFileSystem()
        self.snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=folder), filesystem=self.disk)
        self.epoch = 0

    def collect(self):
        steps = {
            "observation": self.rng.normal(size=(NEW_ROWS, 17)),
            "action": self.rng.uniform(-1, 1, (NEW_ROWS, 6)),
            "reward": self.rng.normal(size=(NEW_ROWS, 1)),
            "next_observation": self.rng.normal(size=(NEW_ROWS, 17)),
            "step_type": np.full((NEW_ROWS, 1), StepType.MID, np.uint8),
        }
        self.buffer.add_path(steps)

    def train(self):
        """Change everything as an epoch does: new rows, and gradient steps on all networks.

        A tenth of an epoch's steps; after fewer, the processor would still be waking up.
        """
        self.collect()
        for _ in range(GRADIENT_STEPS):
            self.algo._take_gradient_step(self.buffer.sample_transitions(256))
        self.algo._finish_epoch()

    def tensors(self):
        """Return what training changes but for rows: weights and optimizers' slots."""
        networks = [value for value in vars(self.algo).values() if hasattr(value, "parameters")]
        found = {id(p): p.data for network in networks for p in network.parameters()}
        for optimizer in self.algo.__dict__.values():
            for slots in getattr(getattr(optimizer, "_optimizer", optimizer), "state", {}).values():
                found.update({id(s): s for s in slots.values() if torch.is_tensor(s)})
        return list(found.values())

    def changed_bytes(self):
        rows = NEW_ROWS * self.buffer._table.row_bytes
        return rows + sum(t.numel() * t.element_size() for t in self.tensors())

    def save(self):
        """Take a snapshot; return seconds and CPU seconds that training stood still."""
        began, cpu = time.perf_counter(), time.thread_time()
        self.snapshotter.save(self.graph, Manifest(epoch=self.epoch))
        stopped = time.perf_counter() - began, time.thread_time() - cpu
        self.snapshotter.wait()
        self.epoch += 1
        return stopped

    def bytes_written(self):
        """Return the bytes written since this was last called."""
        written, self.disk.written = self.disk.written, 0
        return written


def timed(work):
    if isinstance(work, with_orbax.Orbax):
        return work()  # works, and is timed, in a process of its own
    began, cpu = time.perf_counter(), time.thread_time()
    work()
    return time.perf_counter() - began, time.thread_time() - cpu


def peers(run, rows, folder):
    """Return what others do, by name: functions to be timed."""
    target = np.empty(run.changed_bytes(), np.uint8)
    source = np.ones_like(target)
    file = Path(folder) / "peer"
    found = {
        "memcpy of the changed bytes": lambda: np.copyto(target, source),
        "cloudpickle to a file": lambda: file.write_bytes(cloudpickle.dumps(run.graph, 5)),
        "torch.save": lambda: torch.save(run.graph, file, pickle_module=cloudpickle),
    }
    if torch.distributed.is_available():
        found["torch.distributed.checkpoint"] = AsyncCheckpoint(run, file)
    if with_orbax.INTERPRETER:
        arrays = [tensor.numpy() for tensor in run.tensors()]
        memory = run.buffer._table._memory
        orbax = with_orbax.Orbax(arrays, memory, NEW_ROWS, Path(folder) / "orbax")
        found[f"Orbax {orbax.version}"] = orbax
    if importlib.util.find_spec("stable_baselines3"):
        model = stable_baselines3_model(rows)

        def save():
            model.save(f"{file}_model")
            model.save_replay_buffer(f"{file}_buffer")

        found["Stable-Baselines3"] = save
    return found


class AsyncCheckpoint:
    """torch writes tensors behind training; the writing is waited for apart."""

    def __init__(self, run, folder):
        import torch.distributed.checkpoint as checkpoint

        if not torch.distributed.is_initialized():
            store = torch.distributed.HashStore()
            torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
        self._save, self._run, self._folder = checkpoint.async_save, run, folder
        self._last = None

    def __call__(self):
        tensors = {str(number): tensor for number, tensor in enumerate(self._run.tensors())}
        tensors["rows"] = torch.from_numpy(self._run.buffer._table._memory)
        self._last = self._save(tensors, checkpoint_id=f"{self._folder}_{time.monotonic_ns()}")

    def wait(self):
        if self._last is not None:
            self._last.result()
            self._last = None


def stable_baselines3_model(rows):
    import gymnasium
    import stable_baselines3

    model = stable_baselines3.SAC("MlpPolicy", gymnasium.make(ENV), buffer_size=rows)
    buffer = model.replay_buffer
    for name in ("observations", "next_observations", "actions", "rewards", "dones", "timeouts"):
        getattr(buffer, name)[:] = 1.0  # touches all of the memory
    buffer.full = True
    return model


def measure(rows, rounds, peer_rounds, folder):
    run = Run(rows, Path(folder) / "run")
    others = peers(run, rows, folder)
    times = {"garage_like": []} | {name: [] for name in others}
    written = []
    for number in range(rounds + 3):
        run.train()
        times["garage_like"].append(run.save())
        written.append(run.bytes_written())
        for name, work in others.items():
            if name.startswith("memcpy") or number < peer_rounds:
                times[name].append(timed(work))
                getattr(work, "wait", lambda: None)()
    times["garage_like"] = times["garage_like"][3:]  # modules are loaded, memory is staged
    for work in others.values():
        getattr(work, "close", lambda: None)()
    changed = run.changed_bytes()
    return {
        "rows": rows,
        "memory_MB": rows * run.buffer._table.row_bytes * MB,
        "changed_MB": changed * MB,
        "written_MB": statistics.median(written[3:]) * MB,
        "written_to_changed": statistics.median(written[3:]) / changed,
        "stopped_ms": {
            name: {
                "median": 1e3 * statistics.median(wall for wall, _ in values),
                "least": 1e3 * min(wall for wall, _ in values),
                "cpu_median": 1e3 * statistics.median(cpu for _, cpu in values),
                "rounds": len(values),
            }
            for name, values in times.items()
            if values
        },
    }


def show(found):
    print(f"\nSAC and {found['rows']:,} transitions ({found['memory_MB']:.0f} MB); since the last")
    print(
        f"snapshot {found['changed_MB']:.2f} MB changed, {found['written_MB']:.2f} MB are written:"
    )
    print(f"{found['written_to_changed']:.2f} times what changed\n")
    ours = found["stopped_ms"]["garage_like"]["median"]
    print(
        f"  {'training stands still for':30}{'median':>10}{'least':>10}{'CPU':>10}  {'of ours':>9}"
    )
    for name, values in found["stopped_ms"].items():
        numbers = "".join(f"{values[key]:7.2f} ms" for key in ("median", "least", "cpu_median"))
        print(f"  {name:30}{numbers}  {values['median'] / ours:8.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="capacity of the memory")
    parser.add_argument("--rounds", type=int, default=40, help="snapshots")
    parser.add_argument("--peer-rounds", type=int, default=3, help="rounds of those that are slow")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = measure(options.rows, options.rounds, options.peer_rounds, folder)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
