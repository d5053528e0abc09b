"""Train TD3 on Pendulum-v1: a deterministic policy, and noise on top of it to explore.

python examples/tf/td3_pendulum.py --seed 1
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.replay_buffer import PathBuffer
from garage_like.tf.algos import TD3
from garage_like.tf.policies import ContinuousMLPPolicy
from garage_like.tf.q_functions import ContinuousMLPQFunction
from garage_like.trainer import TFTrainer

STEPS_PER_EPOCH = 20


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=15, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=50, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def td3_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TD3 on Pendulum-v1."""
    set_seed(seed)
    env = GymEnv("Pendulum-v1")
    policy = ContinuousMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qf1 = ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64))
    qf2 = ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64))
    exploration_policy = AddGaussianNoise(
        env.spec,
        policy,
        total_timesteps=n_epochs * STEPS_PER_EPOCH * batch_size,
        max_sigma=0.4,
        min_sigma=0.1,
    )
    algo = TD3(
        env.spec,
        policy,
        qf1,
        qf2,
        PathBuffer(capacity_in_transitions=100_000, env_spec=env.spec),
        exploration_policy=exploration_policy,
        policy_lr=1e-3,
        qf_lr=1e-3,
        steps_per_epoch=STEPS_PER_EPOCH,
        min_buffer_size=500,
        buffer_batch_size=128,
    )

    with TFTrainer(ctxt) as trainer:
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    td3_pendulum()
