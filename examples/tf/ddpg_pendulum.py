"""Train DDPG on Pendulum-v1, with noise that drifts.

python examples/tf/ddpg_pendulum.py --seed 1
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import AddOrnsteinUhlenbeckNoise
from garage_like.replay_buffer import PathBuffer
from garage_like.tf.algos import DDPG
from garage_like.tf.policies import ContinuousMLPPolicy
from garage_like.tf.q_functions import ContinuousMLPQFunction
from garage_like.trainer import TFTrainer


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=15, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=50, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def ddpg_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train DDPG on Pendulum-v1."""
    set_seed(seed)
    env = GymEnv("Pendulum-v1")
    policy = ContinuousMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qf = ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64))
    algo = DDPG(
        env.spec,
        policy,
        qf,
        PathBuffer(capacity_in_transitions=100_000, env_spec=env.spec),
        exploration_policy=AddOrnsteinUhlenbeckNoise(env.spec, policy, sigma=0.5, dt=0.05),
        policy_lr=1e-3,
        qf_lr=1e-3,
        steps_per_epoch=20,
        min_buffer_size=500,
        buffer_batch_size=128,
    )

    with TFTrainer(ctxt) as trainer:
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    ddpg_pendulum()
