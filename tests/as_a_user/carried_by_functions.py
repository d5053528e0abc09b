"""An algorithm whose state lies in functions, caches, sentinels and enums of its launcher."""

import enum
import functools
import os
import sys

import held_elsewhere
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular

UNKNOWN = object()
HISTORY = []
GENERATOR = np.random.default_rng(3)


def counted(seen=[]):  # noqa: B006
    seen.append(len(seen))
    return len(seen)


def numbered():
    numbered.calls += 1
    return numbered.calls


numbered.calls = 0


def make_tally():
    total = 0

    def tally():
        nonlocal total
        total += 1
        return total

    return tally


tally = make_tally()


@functools.lru_cache(maxsize=8)
def noise(n):
    return GENERATOR.random()


@functools.cache
def drawn_for(name):
    return GENERATOR.random()


def counted_lazily():
    """Keep count under names that are not there before training begins."""
    global tally_made_late
    counted_lazily.calls = getattr(counted_lazily, "calls", 0) + 1
    tally_made_late = globals().get("tally_made_late", 0) + counted_lazily.calls
    return tally_made_late


def transform(x):
    return x + 1


class Drawing(RLAlgorithm):
    class Phase(enum.Enum):
        FIRST = 1
        LATER = 2

    def __init__(self):
        self.policy = None
        self.epochs = 0
        self.best = UNKNOWN
        self.phase = self.Phase.FIRST
        self.history = HISTORY
        self.transform = transform
        self.generator = GENERATOR

    def train_epoch(self, trainer):
        if str(self.epochs) in sys.argv[1:2]:
            os._exit(9)
        assert self.epochs == 0 or (self.best is UNKNOWN) == (self.phase is self.Phase.FIRST)
        assert self.transform is transform
        assert self.history is HISTORY
        assert self.generator is GENERATOR
        self.epochs += 1
        HISTORY.append(self.epochs)
        if self.epochs == 3:
            self.best, self.phase = 1.0, self.Phase.LATER
        import imported_late

        told = {
            "Lazy": counted_lazily(),
            "Late": imported_late.draw(),
            "Default": counted(),
            "Attribute": numbered(),
            "Closure": tally(),
            "Cache": noise(self.epochs // 3) + drawn_for("x"),
            "History": len(self.history),
            "Generator": self.generator.random(),
            **held_elsewhere.counts(),
        }
        for name, value in told.items():
            tabular.record(name, value)


@wrap_experiment(auto_resume=True, snapshot_mode="all", console=False)
def train(ctxt):
    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Drawing(), None)
    trainer.train(n_epochs=7, batch_size=1)


train()
