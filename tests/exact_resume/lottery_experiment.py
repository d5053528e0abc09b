"""A decorated experiment that continues where it was: what the kill lottery kills.

`lottery_experiment.py LOG_DIR ALGORITHM N_EPOCHS`
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import experiments

from garage_like import wrap_experiment
from garage_like.trainer import Trainer

log_dir, algorithm, n_epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])


@wrap_experiment(
    log_dir=log_dir,
    auto_resume=True,
    snapshot_mode="all",
    archive_launch_repo=False,
)
def lottery(ctxt=None, *, algorithm, n_epochs):
    """Train a little."""
    trainer = Trainer(ctxt)
    trainer.setup(*experiments.build(algorithm, "CartPole-v1", "fragment"))
    trainer.train(n_epochs, batch_size=100)


lottery(algorithm=algorithm, n_epochs=n_epochs)
