"""Train TQC on Pendulum-v1: Q-functions of quantiles, the most hopeful of which are left out.

python examples/torch/tqc_pendulum.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import TQC
from garage_like.torch.policies import TanhGaussianMLPPolicy
from garage_like.torch.q_functions import QuantileMLPQFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=50, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def tqc_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TQC on Pendulum-v1."""
    set_seed(seed)
    env = GymEnv("Pendulum-v1")
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qfs = [QuantileMLPQFunction(env.spec, n_quantiles=25, hidden_sizes=(64, 64)) for _ in range(2)]
    algo = TQC(
        env.spec,
        policy,
        qfs,
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
    tqc_pendulum()
