"""Measure what a snapshot costs: the capture that training waits for, and what is written behind.

The states are those of an on-policy run: policy and value function, each with its Adam, and the
generators. Beside them stand cloudpickle and torch.save, which copy the same state into memory and
write nothing. Rounds take turns, and the median counts, since a shared machine's speed changes by
the minute; ratios are taken within a round.
"""

import argparse
import io
import statistics
import tempfile
import time
from pathlib import Path

import cloudpickle
import numpy as np
import torch

from garage_like.seeding import set_seed, stream
from garage_like.snapshot.capture import capture
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore, problems_of
from garage_like.snapshot.rng import get_global_rng
from garage_like.snapshot.staging import Staging


class Algo:
    """Two networks of a given width, each with an optimizer that has taken a step."""

    def __init__(self, width, depth):
        self.policy = self.network(width, depth, 4)
        self.value_function = self.network(width, depth, 1)
        self.policy_optimizer = self.stepped(self.policy)
        self.value_function_optimizer = self.stepped(self.value_function)
        self.rng = stream("minibatches")

    def network(self, width, depth, outputs):
        layers = [torch.nn.Linear(8, width), torch.nn.Tanh()]
        for _ in range(depth - 1):
            layers += [torch.nn.Linear(width, width), torch.nn.Tanh()]
        return torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs))

    def stepped(self, network):
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        network(torch.randn(16, 8)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        return optimizer

    def change(self):
        """Change everything a little, as an update does."""
        with torch.no_grad():
            for network in (self.policy, self.value_function):
                for parameter in network.parameters():
                    parameter.mul_(1.0001)
        for optimizer in (self.policy_optimizer, self.value_function_optimizer):
            for slots in optimizer.state.values():
                for slot in slots.values():
                    slot.mul_(1.0001)


class Measurement:
    """Save one state again and again, and keep the times of each step."""

    def __init__(self, graph, folder):
        self.graph = graph
        self.staging = Staging()
        self.store = SnapshotStore(folder / "snapshots")
        self.store.open()
        self.epoch = 0
        self.times = {}

    def step(self, name, work):
        began = time.perf_counter()
        result = work()
        self.times.setdefault(name, []).append(time.perf_counter() - began)
        return result

    def round(self):
        self.graph["algo"].change()
        self.staging.clear()
        captured = self.step("capture", lambda: capture(self.graph, self.staging))
        manifest = Manifest(epoch=self.epoch, arrays=captured.arrays)
        self.step("write, all changed", lambda: self.store.commit(manifest, captured.files))
        same = Manifest(epoch=self.epoch + 1, arrays=captured.arrays)
        self.step("write, none changed", lambda: self.store.commit(same, captured.files))
        self.step("verify", lambda: problems_of(self.store.path(self.epoch)))
        self.store.remove(self.store.epochs()[:-1])
        self.epoch += 2
        self.step("cloudpickle.dumps", lambda: cloudpickle.dumps(self.graph, 5))
        self.step(
            "torch.save", lambda: torch.save(self.graph, io.BytesIO(), pickle_module=cloudpickle)
        )
        return sum(memoryview(p).nbytes for pieces in captured.files.values() for p in pieces)


def measure(name, width, depth, rounds, folder):
    graph = {"algo": Algo(width, depth), "env": None, "rng": get_global_rng()}
    run = Measurement(graph, folder)
    nbytes = [run.round() for _ in range(rounds + 1)][-1]
    print(f"\n{name}: {nbytes / 1e6:.2f} MB, median of {rounds} rounds")
    print(f"  {'':24}{'ms':>9}{'MB/s':>9}  {'of cloudpickle':>15}{'of torch.save':>15}")
    times = {step: np.array(values[1:]) for step, values in run.times.items()}
    for step, values in times.items():
        speed = nbytes / statistics.median(values) / 1e6
        ratios = [
            f"{statistics.median(values / times[peer]):14.2f}x"
            for peer in ("cloudpickle.dumps", "torch.save")
        ]
        print(f"  {step:24}{1e3 * statistics.median(values):9.2f}{speed:9.0f}  {''.join(ratios)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="rounds for the small state")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for number, (name, width, depth, rounds) in enumerate(
            (
                ("two networks of 2 x 64", 64, 2, options.rounds),
                ("two networks of 3 x 1024", 1024, 3, max(3, options.rounds // 5)),
            )
        ):
            place = Path(folder) / str(number)
            place.mkdir()
            measure(name, width, depth, rounds, place)


if __name__ == "__main__":
    main()
