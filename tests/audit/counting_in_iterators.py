"""An algorithm whose local variables go through numbers: a generator, or `enumerate`."""

import itertools
import sys

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm


class Counting(RLAlgorithm):
    policy = None

    def __init__(self):
        self.total = 0

    def train(self, trainer):
        numbers = (number for number in itertools.count())
        if sys.argv[1] == "generator":
            for _ in trainer.step_epochs():
                self.total += next(numbers)
                trainer.step_itr += 1
        else:
            for number, _ in enumerate(trainer.step_epochs()):
                self.total += number
                trainer.step_itr += 1


@wrap_experiment(archive_launch_repo=False)
def train(ctxt):
    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Counting(), None)
    trainer.train(3)


train()
