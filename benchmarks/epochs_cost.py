"""What `epochs` costs a loop with iterations of a millisecond: processor time, all threads.

    python benchmarks/epochs_cost.py [ITERATIONS]

Prints, for each of three rounds, a loop without it, with it, and the difference in per cent.
"""

import contextlib
import io
import sys
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


def seconds(loop: Iterable[int], times: int) -> float:
    began = time.process_time()
    for _ in loop:
        work(times)
    return time.process_time() - began


def main(iterations: int) -> None:
    began = time.process_time()
    work(1000)
    times = max(1, int(1.0 / (time.process_time() - began)))
    for _ in range(3):
        plain = seconds(range(iterations), times)
        bag = SimpleNamespace(weights=np.zeros(1000), count=0)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            kept = seconds(epochs(folder, iterations, vars(bag)), times)
        each, more = 1000 / iterations, kept / plain * 100 - 100
        print(f"{plain * each:.3f} ms without, {kept * each:.3f} ms with: {more:+.2f} %")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
