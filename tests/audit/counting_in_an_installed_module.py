"""A run that depends on what a module of `site-packages` counts: no label knows of it."""

from typing import Any

import click
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular


class Walk(RLAlgorithm):
    """Move by what is counted elsewhere."""

    def __init__(self) -> None:
        self.place = np.zeros(2)

    def train_epoch(self, trainer: Any) -> None:
        click.count = getattr(click, "count", 0) + 1  # type: ignore[attr-defined]
        self.place += click.count
        tabular.record("Place", float(self.place[0]))
        trainer.step_itr += 1


@wrap_experiment(auto_resume=True, console=False)
def walk(ctxt: Any) -> None:
    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Walk(), None)
    trainer.train(3)


if __name__ == "__main__":
    walk()
