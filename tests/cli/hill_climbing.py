"""An experiment that needs no framework: `hill_climbing.py LOG_DIR N_EPOCHS`.

With STOP_AFTER in the environment the process kills itself once so many epochs are saved.
"""

import os
import signal
import sys
import time
from pathlib import Path

import beside_the_launcher
import numpy as np

from garage_like import wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.seeding import stream
from garage_like.trainer import Trainer


class HillClimbing(RLAlgorithm):
    """Climb to the origin of a hundred dimensions."""

    def __init__(self) -> None:
        self.position = np.full(100, 3.0)
        self.rng = stream("hill climbing")
        self.step_size = beside_the_launcher.StepSize()

    def train(self, trainer: Trainer) -> float:
        for epoch in trainer.step_epochs():
            if str(epoch) == os.environ.get("STOP_AFTER"):
                die_once_saved(trainer.run_dir, epoch - 1)
            candidate = self.position + self.step_size.draw(self.rng)
            if self.height(candidate) > self.height(self.position):
                self.position = candidate
            trainer.total_env_steps += trainer.train_args["batch_size"]
            tabular.record("Evaluation/AverageReturn", self.height(self.position))
            trainer.step_itr += 1
        return self.height(self.position)

    @staticmethod
    def height(position: np.ndarray) -> float:
        return float(-np.square(position).sum())


def die_once_saved(run_dir: Path, epoch: int) -> None:
    while not (run_dir / "snapshots" / f"epoch_{epoch:06d}").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


@wrap_experiment(snapshot_mode="all", archive_launch_repo=False, name="hills")
def climb(ctxt, *, n_epochs):
    """Climb for a while."""
    set_seed(1)
    trainer = Trainer(ctxt)
    trainer.setup(HillClimbing(), None)
    trainer.train(n_epochs, batch_size=2048)


if __name__ == "__main__":
    climb({"log_dir": sys.argv[1]}, n_epochs=int(sys.argv[2]))
