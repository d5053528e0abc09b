"""Save weights, slots and rows of replay memory through Orbax, behind training, when told to.

Orbax needs JAX, which has no place beside torch in one process: `Orbax` starts this file in an
interpreter of its own, and lets it save in its turn. It is told the shapes of what another run
saves, so that both save the same bytes; weights and slots are JAX's arrays, which training
replaces, and rows NumPy's, which training writes into.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

INTERPRETER = os.environ.get("BENCH_ORBAX", "")
"""The Python of an environment with orbax-checkpoint, jax and numpy; empty for none."""


class Orbax:
    """Orbax in a process of its own; calling it saves.

    Args:
        arrays: weights and slots.
        rows: replay memory.
        new_rows: how many of them change from one save to the next.
        folder: where to write.
    """

    def __init__(
        self, arrays: list[np.ndarray], rows: np.ndarray, new_rows: int, folder: Path
    ) -> None:
        told = {
            "arrays": [[list(array.shape), array.dtype.str] for array in arrays],
            "rows": [list(rows.shape), rows.dtype.str],
            "new_rows": new_rows,
            "folder": str(folder),
        }
        self._child = subprocess.Popen(
            [INTERPRETER, "-W", "ignore", __file__, json.dumps(told)],
            env={**os.environ, "JAX_PLATFORMS": "cpu"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._read()

    def __call__(self) -> tuple[float, float]:
        """Save; return seconds and CPU seconds that training stood still."""
        wall, cpu = self._ask("save")
        return wall, cpu

    def wait(self) -> None:
        """Wait until everything is written."""
        self._ask("wait")

    def close(self) -> None:
        """End the process."""
        self._child.stdin.close()
        self._child.wait()

    def _ask(self, what: str) -> Any:
        self._child.stdin.write(what + "\n")
        self._child.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        for line in self._child.stdout:
            if line.startswith("orbax "):
                return json.loads(line.removeprefix("orbax "))
        raise SystemExit(f"{INTERPRETER} {__file__} ended with {self._child.wait()}")


class Run:
    """What a training run with Orbax would have: arrays, rows, and a checkpointer."""

    def __init__(self, told: dict[str, Any]) -> None:
        import jax.numpy as jnp
        import orbax.checkpoint as ocp

        self._arguments = ocp.args.PyTreeSave
        self._checkpointer = ocp.AsyncCheckpointer(ocp.PyTreeCheckpointHandler())
        random = np.random.default_rng(1).random  # what is written does not compress
        self._arrays = [jnp.asarray(random(shape), dtype) for shape, dtype in told["arrays"]]
        shape, dtype = told["rows"]
        self._rows = random(shape, np.float32).astype(dtype)
        self._new_rows, self._folder, self._saved = told["new_rows"], Path(told["folder"]), 0

    def train(self) -> None:
        """Change what an epoch changes."""
        self._arrays = [(array * 1.0001).block_until_ready() for array in self._arrays]
        self._rows[: self._new_rows] += 1

    def save(self) -> tuple[float, float]:
        """Start a save; return seconds and CPU seconds until training may go on."""
        tree = {"arrays": self._arrays, "rows": self._rows}
        began, cpu = time.perf_counter(), time.thread_time()
        self._checkpointer.save(self._folder / str(self._saved), args=self._arguments(tree))
        return time.perf_counter() - began, time.thread_time() - cpu

    def wait(self) -> None:
        """Wait until the save is written, and remove it."""
        self._checkpointer.wait_until_finished()
        shutil.rmtree(self._folder / str(self._saved), ignore_errors=True)
        self._saved += 1


def main() -> None:
    run = Run(json.loads(sys.argv[1]))
    answer(metadata.version("orbax-checkpoint"))
    for line in sys.stdin:
        if line.strip() == "save":
            run.train()
            answer(run.save())
        else:
            answer(run.wait())


def answer(what: Any) -> None:
    print(f"orbax {json.dumps(what)}", flush=True)


if __name__ == "__main__":
    main()
