"""Loops that count in local variables: `train` or `bag`; `DIES_AFTER` kills them."""

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from garage_like import Trainer, epochs, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular

RUN = "data/local/experiment/train"
TURNS = [0]


def die_or_go_on():
    """Die in the turn that was asked for, once what was captured before is on the disk."""
    TURNS[0] += 1
    if str(TURNS[0]) == os.environ.get("DIES_AFTER"):
        while not list(Path(RUN).glob(f"snapshots/epoch_*{TURNS[0] - 2}/manifest.json")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)


class Search(RLAlgorithm):
    policy = None

    def __init__(self):
        self.weights = np.zeros(3)

    def train(self, trainer):
        weights, sigma, best, seen = self.weights, 1.0, -np.inf, []
        for epoch in trainer.step_epochs():
            tried = weights + sigma * np.random.normal(size=3)
            gained = -float(((tried - 1) ** 2).sum())
            if gained > best:
                best, weights = gained, tried
            sigma *= 0.9
            seen.append(gained)
            for name, value in {"Sigma": sigma, "Best": best, "Seen": sum(seen)}.items():
                tabular.record(name, value)
            tabular.record("Weights", float(weights.sum()))
            self.weights = weights
            trainer.step_itr += 1
            die_or_go_on()
            if epoch == 10:
                break
        return best


@wrap_experiment(auto_resume=True, snapshot_mode="all", archive_launch_repo=False)
def train(ctxt):
    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Search(), None)
    trainer.train(4)
    trainer.train(9)  # with variables of its own; left after seven


def bag():
    np.random.seed(1)
    things = SimpleNamespace(weights=np.zeros(3))
    weights, total = things.weights, 0.0
    for _ in epochs(RUN, 8, vars(things), snapshot_mode="all"):
        total += float(weights.sum()) + np.random.normal()
        weights += 0.1 * total
        tabular.record("Total", total)
        tabular.record("Weights", float(weights.sum()))
        tabular.record("Same", weights is things.weights)
        die_or_go_on()


if __name__ == "__main__":
    {"train": train, "bag": bag}[sys.argv[1]]()
