"""Go on with the run of trpo_gym_tf_cartpole.py: longer, and in smaller batches.

    python examples/tf/trpo_gym_tf_cartpole.py
    python examples/tf/trpo_gym_tf_cartpole_pretrained.py

The first command takes half a minute. To try the second one at once, use the small run that comes
with the sources:

    python examples/tf/trpo_gym_tf_cartpole_pretrained.py --snapshot-dir data/trpo_gym_tf_cartpole

The restored run is only read; what is learned now goes to a run directory of its own,
data/local/experiment/trpo_gym_tf_cartpole_pretrained.
"""

import click

from garage_like import TFTrainer, wrap_experiment

FIRST_RUN = "data/local/experiment/trpo_gym_tf_cartpole"


@click.command()
@click.option("--snapshot-dir", default=FIRST_RUN, show_default=True, help="What to go on from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs of both runs together.")
@click.option("--batch-size", default=8000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def trpo_gym_tf_cartpole_pretrained(ctxt=None, *, snapshot_dir, n_epochs, batch_size):
    """Resume training from a snapshot directory."""
    with TFTrainer(snapshot_config=ctxt) as trainer:
        trainer.restore(snapshot_dir)
        trainer.resume(n_epochs=n_epochs, batch_size=batch_size)


if __name__ == "__main__":
    trpo_gym_tf_cartpole_pretrained()
