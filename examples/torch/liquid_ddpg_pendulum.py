"""Train LiquidDDPG on Pendulum-v1: DDPG whose policy is a liquid network, wired as a circuit.

python examples/torch/liquid_ddpg_pendulum.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import AddOrnsteinUhlenbeckNoise
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import DDPG
from garage_like.torch.policies import DeterministicCfCPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=15, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=50, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def liquid_ddpg_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train DDPG on Pendulum-v1, its policy a closed-form continuous-time cell."""
    set_seed(seed)
    env = GymEnv("Pendulum-v1")
    policy = DeterministicCfCPolicy(
        env.spec, hidden_dim=32, history_length=4, state_include_action=False
    )
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
        buffer_batch_size=64,
        reward_scale=0.1,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    liquid_ddpg_pendulum()
