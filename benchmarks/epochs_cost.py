"""What `epochs` costs a loop with iterations of a millisecond: processor time, all threads.

    python benchmarks/epochs_cost.py [ITERATIONS]

Prints, for each of seven rounds, a loop without it, with it, and the difference in per cent; then
the median of the differences. Counted from the first iteration on: what comes before is told apart.
"""

import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from types import SimpleNamespace

import numpy as np

from garage_like import epochs

ROUNDS = 7
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


def main(iterations: int) -> None:
    began = time.process_time()
    work(1000)
    times = max(1, int(1.0 / (time.process_time() - began)))
    each, found = 1000 / iterations, []
    for _ in range(ROUNDS):
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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
