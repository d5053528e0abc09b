"""Train double DQN on CartPole-v1.

python examples/torch/ddqn_cartpole.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import DDQN
from garage_like.torch.policies import DiscreteQFArgmaxPolicy
from garage_like.torch.q_functions import DiscreteMLPQFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=39, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=256, show_default=True, help="Env steps, 5 times an epoch.")
@wrap_experiment
def ddqn_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train double DQN on CartPole-v1."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    qf = DiscreteMLPQFunction(env.spec, hidden_sizes=(256, 256))
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    algo = DDQN(
        env.spec,
        policy,
        qf,
        PathBuffer(capacity_in_transitions=100_000, env_spec=env.spec),
        exploration_policy=EpsilonGreedyPolicy(
            env.spec, policy, total_timesteps=50_000, min_epsilon=0.04, decay_ratio=0.16
        ),
        qf_lr=2.3e-3,
        target_update_freq=1,
        steps_per_epoch=5,
        n_train_steps=128,
        min_buffer_size=1000,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    ddqn_cartpole()
