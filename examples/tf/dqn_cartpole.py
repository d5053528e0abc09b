"""Train DQN on CartPole-v1, with double Q-learning.

    python examples/tf/dqn_cartpole.py --seed 1

Epsilon-greedy exploration falls in the first part of the run, and goes on where it was after a
resume. Returns go up and down, as is DQN's way on this task: the run keeps its best snapshot too.
For a duelling network pass `dueling=True` to the Q-function, and for prioritized replay use a
PrioritizedReplayBuffer.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.tf.algos import DQN
from garage_like.tf.policies import DiscreteQFArgmaxPolicy
from garage_like.tf.q_functions import DiscreteMLPQFunction
from garage_like.trainer import TFTrainer

STEPS_PER_EPOCH = 5


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=40, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=256, show_default=True, help="Env steps, 5 times an epoch.")
@wrap_experiment(keep_best=1)
def dqn_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train DQN on CartPole-v1."""
    set_seed(seed)
    total_timesteps = n_epochs * STEPS_PER_EPOCH * batch_size
    env = GymEnv("CartPole-v1")
    qf = DiscreteMLPQFunction(env.spec, hidden_sizes=(256, 256))
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    algo = DQN(
        env.spec,
        policy,
        qf,
        PathBuffer(capacity_in_transitions=100_000, env_spec=env.spec),
        exploration_policy=EpsilonGreedyPolicy(
            env.spec, policy, total_timesteps=total_timesteps, min_epsilon=0.04, decay_ratio=0.16
        ),
        double_q=True,
        qf_lr=2.3e-3,
        target_update_freq=1,
        steps_per_epoch=STEPS_PER_EPOCH,
        gradient_steps_per_env_step=0.5,
        min_buffer_size=1000,
    )

    with TFTrainer(ctxt) as trainer:
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    dqn_cartpole()
