"""An experiment with a fault to find: `climbing.py FAULT [--n-epochs N]`."""

import argparse
import os

import beside_the_climber
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.seeding import stream


class Momentum:
    """Remember the last step, and perhaps forget it when pickled."""

    def __init__(self, forgets: bool) -> None:
        self.forgets = forgets
        self.last = np.zeros(3)

    def __getstate__(self) -> dict:
        return {"forgets": True} if self.forgets else dict(vars(self))

    def __setstate__(self, state: dict) -> None:
        vars(self).update({"last": np.zeros(3), **state})


class Stubborn:
    """Come back from a pickle with another number than went into it."""

    def __init__(self) -> None:
        self.count = 0

    def __setstate__(self, state: dict) -> None:
        self.count = state["count"] + 1


class Climbing(RLAlgorithm):
    """Climb to the origin, with one fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.position = np.full(3, 2.0)
        self.rng = np.random.default_rng() if fault == "unseeded" else stream("climbing")
        self.momentum = Momentum(forgets=fault == "forgetful")
        self.stubborn = Stubborn() if fault == "stubborn" else None

    def train(self, trainer: Trainer) -> None:
        for _ in trainer.step_epochs():
            step = self.rng.normal(size=3)
            if self.fault == "hidden generator":
                step += beside_the_climber.draw()
            if self.fault == "process":
                step += os.getpid()
            candidate = self.position + step + 0.5 * self.momentum.last
            if np.abs(candidate).sum() < np.abs(self.position).sum():
                self.position = candidate
            self.momentum.last = step
            tabular.record("Height", float(-np.abs(candidate).sum()))
            trainer.step_itr += 1


@wrap_experiment(snapshot_mode="none", console=False)
def climbing(ctxt=None, *, fault, n_epochs):
    """Climb for a while; saves nothing unless it is told to."""
    if fault == "raises":
        raise RuntimeError("no hill to climb")
    if fault == "no training":
        return
    if fault != "no seed":
        set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Climbing(fault), None)
    trainer.train(n_epochs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("fault")
    parser.add_argument("--n-epochs", type=int, default=10)
    climbing(**vars(parser.parse_args()))
