"""An algorithm that draws from a generator of its launcher, and counts in its class."""

import os
import sys

import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular

GENERATOR = np.random.default_rng(3)
DIES_IN = int(sys.argv[1]) if len(sys.argv) > 1 else None


class Drawing(RLAlgorithm):
    counted = 0

    def __init__(self):
        self.policy = None
        self.epochs = 0

    def train_epoch(self, trainer):
        if self.epochs == DIES_IN:
            os._exit(9)
        self.epochs += 1
        Drawing.counted += 1
        tabular.record("Drawn", GENERATOR.random())
        tabular.record("Counted", Drawing.counted)


@wrap_experiment(auto_resume=True, snapshot_mode="all", console=False)
def train(ctxt):
    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Drawing(), None)
    trainer.train(n_epochs=6, batch_size=1)


train()
