"""An experiment that counts in a class of its own function: a resume by the script loses that."""

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular


@wrap_experiment(console=False)
def counting(ctxt=None):
    class Counting(RLAlgorithm):
        counted = 0

        def __init__(self):
            self.policy = None
            self.sum = 0

        def train_epoch(self, trainer):
            Counting.counted += 1
            self.sum += Counting.counted
            tabular.record("Sum", self.sum)
            trainer.step_itr += 1

    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(Counting(), None)
    trainer.train(3)


if __name__ == "__main__":
    counting()
