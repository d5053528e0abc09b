"""Train PPO on CartPole-v1, then go on from its last snapshot, for longer and in smaller batches.

    python examples/tf/resume_training.py

Two experiments: the first trains and stops; the second restores the first one's snapshot and
resumes, here with other arguments. Without any, `resume()` finishes what the first had left to do.
"""

import click

from garage_like import TFTrainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import PPO
from garage_like.tf.baselines import GaussianMLPBaseline
from garage_like.tf.policies import CategoricalMLPPolicy


@wrap_experiment
def pre_training(ctxt, *, seed, n_epochs, batch_size):
    """Train from nothing, and return where the run is."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = GymEnv("CartPole-v1")
        policy = CategoricalMLPPolicy(env.spec)
        baseline = GaussianMLPBaseline(env.spec)
        sampler = LocalSampler(agents=policy, envs=env)
        trainer.setup(PPO(env.spec, policy, baseline, sampler), env)
        trainer.train(n_epochs, batch_size)
    return ctxt.snapshot_dir


@wrap_experiment
def fine_tuning(ctxt=None, *, from_dir, n_epochs, batch_size):
    """Go on with another run's last snapshot, in a run directory of its own."""
    with TFTrainer(ctxt) as trainer:
        trainer.restore(from_dir)  # from_epoch='first', 'best' or a number goes further back
        trainer.resume(n_epochs=n_epochs, batch_size=batch_size)


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=10, show_default=True, help="Epochs of the first run.")
@click.option("--batch-size", default=4000, show_default=True, help="Its env steps per epoch.")
@click.option("--resume-n-epochs", default=20, show_default=True, help="Epochs of both together.")
@click.option("--resume-batch-size", default=2000, show_default=True, help="Later batches.")
def main(seed, n_epochs, batch_size, resume_n_epochs, resume_batch_size):
    """Train PPO on CartPole-v1, then resume with other arguments."""
    run_dir = pre_training(seed=seed, n_epochs=n_epochs, batch_size=batch_size)
    fine_tuning(from_dir=run_dir, n_epochs=resume_n_epochs, batch_size=resume_batch_size)


if __name__ == "__main__":
    main()
