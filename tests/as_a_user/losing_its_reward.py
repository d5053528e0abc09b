"""An experiment whose rewards become NaN, and what is left of it.

losing_its_reward.py NAME...   trains each in a process of its own, and prints a line of JSON
"""

import contextlib
import importlib
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from algorithms import make
from gymnasium.envs.classic_control import CartPoleEnv, PendulumEnv
from gymnasium.envs.toy_text import FrozenLakeEnv

from garage_like import TFTrainer, Trainer, wrap_experiment
from garage_like.envs import PointEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.snapshot import read_snapshot

RUNS = Path("data/local/experiment")
GOES_WELL = 150  # env steps of an environment
N_EPOCHS = 24
BATCH_SIZE = 32


def losing(step: Any) -> Any:
    """Return a method `step` that pays NaN once its environment has gone so many steps."""

    def losing_step(self: Any, action: Any) -> Any:
        self.taken = getattr(self, "taken", 0) + 1
        found = step(self, action)
        if self.taken < GOES_WELL:
            return found
        if hasattr(found, "_replace"):
            return found._replace(reward=np.nan)
        return (found[0], np.nan, *found[2:])

    return losing_step


def losing_in_jax(move: Any) -> Any:
    import jax

    def losing_move(self: Any, key: Any, *args: Any) -> Any:
        moved, reward, ends = move(self, key, *args)
        return moved, jax.numpy.where(jax.random.uniform(key) < 0.02, np.nan, reward), ends

    return losing_move


def methods(backend: str) -> list[tuple[Any, str, Any]]:
    if backend == "jax":
        from garage_like.jax.envs import CartPole, Pendulum

        return [(cls, "move", losing_in_jax(cls.move)) for cls in (CartPole, Pendulum)]
    kinds = (CartPoleEnv, PendulumEnv, FrozenLakeEnv, PointEnv)
    return [(cls, "step", losing(cls.step)) for cls in kinds]


def outcome(experiment: str) -> dict[str, Any]:
    """Train until it ends, look at what is left, and go on from there with rewards that are."""
    backend, name = experiment.split("_")

    def trainer_of(ctxt: Any) -> Any:
        return TFTrainer(ctxt) if backend == "tf" else contextlib.nullcontext(Trainer(ctxt))

    @wrap_experiment(name=experiment, console=False, max_stall=1.0, use_existing_dir=True)
    def train(ctxt: Any, *, again: bool = False) -> None:
        if again:
            with trainer_of(ctxt) as trainer:
                trainer.restore(ctxt.snapshot_dir)
                trainer.resume(additional_epochs=2)
            return
        set_seed(1)
        with trainer_of(ctxt) as trainer:
            trainer.setup(*make(backend, name))
            trainer.train(N_EPOCHS, BATCH_SIZE)

    kept = [(cls, name, getattr(cls, name)) for cls, name, _ in methods(backend)]
    for cls, method, spoiled in methods(backend):
        setattr(cls, method, spoiled)
    said = "nothing"
    try:
        train()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    for cls, method, whole in kept:
        setattr(cls, method, whole)
    left = read_snapshot(RUNS / experiment)
    spoiled = not_finite(left)
    train(again=True)
    after = read_snapshot(RUNS / experiment)
    return {
        "name": experiment,
        "said": said,
        "epoch": left.epoch,
        "spoiled": spoiled,
        "went_on_to": after.epoch,
        "spoiled_after": not_finite(after),
    }


def not_finite(snapshot: Any) -> list[str]:
    """Name the arrays of floats that hold NaN: of what is learned, and of transitions."""
    found = {
        f"{component}.{key}": array
        for component in snapshot.components
        if not component.startswith(("env", "meta_evaluator"))  # what is played has its NaN
        for key, array in snapshot.tensors(component).items()
    }
    for name in snapshot.tables:
        found |= {f"{name}.{key}": rows for key, rows in snapshot.table(name).items()}
    return [
        key for key, array in found.items() if array.dtype.kind == "f" and np.isnan(array).any()
    ]


def in_its_own_process(experiment: str) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        print(json.dumps(outcome(experiment)), flush=True)
    except BaseException:
        import traceback

        print(experiment, traceback.format_exc(), file=sys.stderr, flush=True)
    finally:
        os._exit(0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for backend in {name.partition("_")[0] for name in sys.argv[1:]} - {"jax"}:
        importlib.import_module(f"garage_like.{backend}.algos")
    for experiment in sys.argv[1:]:
        in_its_own_process(experiment)
