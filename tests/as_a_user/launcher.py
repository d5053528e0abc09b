"""Experiments as the documentation shows them; `algorithms.py` says how each algorithm is made.

`launcher.py start|kill NAME...` starts each as a process of its own, in this directory; with `kill`
it dies in an epoch after the first snapshot. `launcher.py resume NAME...` is `garage-like resume`.
"""

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from algorithms import make

from garage_like import TFTrainer, Trainer, wrap_experiment
from garage_like.cli.command_line import main as garage_like_command
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm

N_EPOCHS = 4
DIES_IN = 3
BATCH_SIZE = 32
RUNS = Path("data/local/experiment")


def start(experiment: str, kill: bool) -> None:
    backend, name = experiment.split("_")

    @wrap_experiment(name=experiment, auto_resume=True, console=False)
    def train(ctxt: Any, *, seed: int = 1) -> None:
        set_seed(seed)
        if backend == "tf":
            with TFTrainer(snapshot_config=ctxt) as trainer:
                run(trainer, *make(backend, name))
        else:
            run(Trainer(ctxt), *make(backend, name))

    def run(trainer: Trainer, algo: RLAlgorithm, env: GymEnv) -> None:
        if kill:
            die_in_an_epoch(type(algo))
        trainer.setup(algo, env)
        trainer.train(n_epochs=N_EPOCHS, batch_size=BATCH_SIZE)

    train()


def die_in_an_epoch(cls: Any) -> None:
    """Die as `kill -9` does: the class is what is changed, and no snapshot holds it."""
    whole, epochs = cls.train_epoch, []

    def train_epoch(self: Any, trainer: Any) -> Any:
        epochs.append(None)
        result = whole(self, trainer)
        if len(epochs) < DIES_IN:
            return result
        while not list(trainer.run_dir.glob("snapshots/epoch_*/manifest.json")):
            time.sleep(0.01)  # what was captured is written meanwhile
        os._exit(9)

    cls.train_epoch = train_epoch


def in_its_own_process(mode: str, experiment: str) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        if mode == "resume":
            garage_like_command(["resume", str(RUNS / experiment)], standalone_mode=False)
        else:
            start(experiment, mode == "kill")
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    mode, *experiments = sys.argv[1:]
    for backend in {experiment.partition("_")[0] for experiment in experiments} - {"jax"}:
        importlib.import_module(f"garage_like.{backend}.algos")  # once for all of them
    for experiment in experiments:
        print(f"status of {experiment}: {in_its_own_process(mode, experiment)}", flush=True)
