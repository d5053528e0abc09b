"""Train SAC on Pendulum-v1: learn from memory, save the memory too.

    python examples/torch/sac_pendulum.py --seed 1

Off-policy algorithms collect a little, store it, and take as many gradient steps as env steps. With
no sampler given they step one environment, which goes on in the middle of an episode from batch to
batch, and after a resume as well.
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
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=50, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def sac_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train SAC on Pendulum-v1."""
    set_seed(seed)
    env = GymEnv("Pendulum-v1")
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qf1 = ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64))
    qf2 = ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64))
    algo = SAC(
        env.spec,
        policy,
        qf1,
        qf2,
        PathBuffer(capacity_in_transitions=100_000, env_spec=env.spec),
        policy_lr=1e-3,
        qf_lr=1e-3,
        steps_per_epoch=20,
        min_buffer_size=500,
        buffer_batch_size=128,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    sac_pendulum()
