"""Runs whose standard output ends, and that log a text of any length.

nobody_listens.py KIND...   trains each in each way, in a process of its own; a line of JSON each
"""

import contextlib
import csv
import json
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from algorithms import make

from garage_like import Trainer, epochs, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.logging import logger, tabular

N_EPOCHS = 4
WAYS = ("reader ends", "reader ends, Ctrl-C", "full disk", "closed", "text")
LONG = "a text of any length " * 10_000


class Way:
    """What befalls the process in its second epoch."""

    chosen, epoch, pipe = "", 0, -1

    @classmethod
    def go_on(cls) -> None:
        cls.epoch += 1
        print("of the user's own", flush=True)
        if cls.chosen == "text":
            tabular.record("Note", LONG)
            logger.log(LONG)
        if cls.epoch == 2 and cls.chosen.startswith("reader ends"):
            os.close(cls.pipe)
            if "Ctrl-C" in cls.chosen:
                os.kill(os.getpid(), signal.SIGINT)

    @classmethod
    def begin(cls, way: str) -> None:
        cls.chosen, cls.epoch = way, 0
        if way.startswith("reader ends"):
            cls.pipe, shown = os.pipe()
        else:
            shown = os.open(
                "/dev/full" if way == "full disk" else "out.txt", os.O_RDWR | os.O_CREAT
            )
        if way == "closed":
            sys.stdout = sys.stderr = None  # type: ignore[assignment]
            os.close(1)
            os.close(2)
            return
        os.dup2(shown, 1)
        if way != "full disk":
            os.dup2(shown, 2)
        os.close(shown)


def by_trainer(kind: str, run_dir: Path) -> None:
    backend, name = kind.split("_")

    @wrap_experiment(log_dir=run_dir, max_stall=1.0)
    def train(ctxt: Any) -> None:
        set_seed(1)
        algo, env = make(backend, name)
        whole = algo.train_epoch

        def train_epoch(trainer: Any) -> Any:
            Way.go_on()
            return whole(trainer)

        type(algo).train_epoch = lambda self, trainer: train_epoch(trainer)  # type: ignore
        with trainer_of(backend, ctxt) as trainer:
            trainer.setup(algo, env)
            trainer.train(N_EPOCHS, 32)

    train()


def trainer_of(backend: str, ctxt: Any) -> Any:
    if backend != "tf":
        return contextlib.nullcontext(Trainer(ctxt))
    from garage_like import TFTrainer

    return TFTrainer(ctxt)


def by_sb3(run_dir: Path) -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    from garage_like.adapters import sb3

    class Goes(BaseCallback):
        def _on_step(self) -> bool:
            return True

        def _on_rollout_start(self) -> None:
            Way.go_on()
            if Way.chosen == "text":
                self.logger.record("note", LONG)

    model = PPO("MlpPolicy", "CartPole-v1", n_steps=32, batch_size=32, seed=1)
    model.verbose = 1  # from here on: its constructor prints as well, before we are asked
    sb3.learn(model, 32 * N_EPOCHS, run_dir, callback=Goes())


def by_epochs(run_dir: Path) -> None:
    total = 0.0
    for epoch in epochs(run_dir, N_EPOCHS, {"total": [total]}, max_stall=1.0):
        Way.go_on()
        total += epoch
        tabular.record("Total", total)


def outcome(kind: str, way: str) -> dict[str, Any]:
    run_dir = Path("runs", f"{kind}_{way.replace(', ', '_')}".replace(" ", "_"))
    Way.begin(way)
    if way != "text":
        warnings.simplefilter("error")
    told: Any = 0
    try:
        if kind == "epochs":
            by_epochs(run_dir)
        else:
            by_sb3(run_dir) if kind == "sb3" else by_trainer(kind, run_dir)
    except SystemExit as error:
        told = error.code
    except BaseException:
        told = traceback.format_exc()
    csv.field_size_limit(10**9)
    with (run_dir / "progress.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    saved = sorted(path.name for path in run_dir.glob("snapshots/epoch_*"))
    return {"kind": kind, "way": way, "told": told, "rows": len(rows), "last": saved[-1:]}


def in_its_own_process(kind: str, way: str) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    results = os.dup(1)
    try:
        found = outcome(kind, way)
    except BaseException:
        found = {"kind": kind, "way": way, "told": traceback.format_exc()}
    os.write(results, (json.dumps(found) + "\n").encode())
    os._exit(0)


if __name__ == "__main__":
    import importlib

    for kind in sys.argv[1:]:
        rooms = {"sb3": "garage_like.adapters.sb3", "epochs": "garage_like.trainer"}
        backend = kind.partition("_")[0]
        if backend != "jax":
            importlib.import_module(rooms.get(kind, f"garage_like.{backend}.algos"))
    for kind in sys.argv[1:]:
        for way in WAYS:
            in_its_own_process(kind, way)
