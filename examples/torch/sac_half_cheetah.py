"""Train SAC on HalfCheetah-v5, with a memory of a million transitions, saved after every epoch.

    python examples/torch/sac_half_cheetah.py --seed 1

Only what changed since the snapshot before is copied and written, while training goes on: kill the
run when you like, and `garage-like resume data/local/experiment/sac_half_cheetah` goes on with all
of its memory. A full run takes hours.
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import SAC
from garage_like.torch.policies import TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=1000, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=20, show_default=True, help="Env steps, 50 times an epoch.")
@click.option("--min-buffer-size", default=10_000, show_default=True, help="Random env steps.")
@wrap_experiment(snapshot_mode="last")
def sac_half_cheetah(ctxt=None, *, seed, n_epochs, batch_size, min_buffer_size):
    """Train SAC on HalfCheetah-v5."""
    set_seed(seed)
    env = GymEnv("HalfCheetah-v5")
    policy = TanhGaussianMLPPolicy(env.spec)
    qf1 = ContinuousMLPQFunction(env.spec)
    qf2 = ContinuousMLPQFunction(env.spec)
    algo = SAC(
        env.spec,
        policy,
        qf1,
        qf2,
        PathBuffer(capacity_in_transitions=1_000_000, env_spec=env.spec),
        steps_per_epoch=50,
        min_buffer_size=min_buffer_size,
        buffer_batch_size=256,
        num_evaluation_episodes=1,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    sac_half_cheetah()
