"""Train discrete SAC on CartPole-v1: soft actor-critic that weighs all actions.

python examples/torch/discrete_sac_cartpole.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import DiscreteSAC
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.q_functions import DiscreteMLPQFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=15, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=200, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def discrete_sac_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train discrete SAC on CartPole-v1."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qf1, qf2 = (DiscreteMLPQFunction(env.spec, hidden_sizes=(64, 64)) for _ in range(2))
    algo = DiscreteSAC(
        env.spec,
        policy,
        qf1,
        qf2,
        PathBuffer(capacity_in_transitions=100_000, env_spec=env.spec),
        policy_lr=2.3e-3,
        qf_lr=2.3e-3,
        target_update_tau=0.05,
        steps_per_epoch=20,
        gradient_steps_per_env_step=0.25,
        min_buffer_size=1000,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    discrete_sac_cartpole()
