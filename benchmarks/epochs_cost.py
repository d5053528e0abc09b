"""What `epochs` costs a loop with iterations of a millisecond: processor time, all threads.

    python benchmarks/epochs_cost.py [ITERATIONS] [--rounds N]

Prints, for each of N rounds (seven), a loop without it, with it, and the difference in per cent;
then the median of the differences. Counted from the first iteration on: what comes before is told
apart.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Iterable
from types import SimpleNamespace

import numpy as np

from garage_like import epochs

MATRIX = np.random.default_rng(0).normal(size=(64, 64))


def work(times: int) -> None:
    for _ in range(times):
        MATRIX @ MATRIX


def seconds(loop: Iterable[int], times: int) -> tuple[float, float]:
    """Return the processor seconds before the first iteration, and of all iterations."""
    made = began = time.process_time()
    for number in loop:
        if number == 0:
            began = time.process_time()
        work(times)
    return began - made, time.process_time() - began


def main(iterations: int, rounds: int) -> None:
    began = time.process_time()
    work(1000)
    times = max(1, int(1.0 / (time.process_time() - began)))
    each, found = 1000 / iterations, []
    for _ in range(rounds):
        _, plain = seconds(range(iterations), times)
        bag = SimpleNamespace(weights=np.zeros(1000), count=0)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            start, kept = seconds(epochs(folder, iterations, vars(bag)), times)
        found.append(kept / plain * 100 - 100)
        print(
            f"{plain * each:.3f} ms without, {kept * each:.3f} ms with: {found[-1]:+.2f} %"
            f" ({start * 1000:.0f} ms before the first)"
        )
    print(f"median {statistics.median(found):+.2f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("iterations", type=int, nargs="?", default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    main(given.iterations, given.rounds)
