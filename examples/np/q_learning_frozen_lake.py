"""Cross a frozen lake by Q-learning on a table; no framework is loaded.

python examples/np/q_learning_frozen_lake.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos import QLearning
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.np.policies import TabularArgmaxPolicy
from garage_like.np.q_functions import TabularQFunction
from garage_like.sampler import FragmentWorker, LocalSampler

STEPS_PER_EPOCH = 50


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=20, show_default=True, help="Env steps, 50 times an epoch.")
@click.option("--slippery/--firm", default=False, help="Whether the ice is slippery.")
@wrap_experiment
def q_learning_frozen_lake(ctxt=None, *, seed, n_epochs, batch_size, slippery):
    """Train Q-learning on FrozenLake-v1."""
    set_seed(seed)
    env = GymEnv("FrozenLake-v1", is_slippery=slippery)
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    exploration_policy = EpsilonGreedyPolicy(
        env.spec,
        policy,
        total_timesteps=n_epochs * STEPS_PER_EPOCH * batch_size,
        min_epsilon=0.05,
        decay_ratio=0.8,
    )
    sampler = LocalSampler(
        agents=exploration_policy,
        envs=env,
        worker_class=FragmentWorker,
        worker_args={"n_envs": 1},
    )
    algo = QLearning(
        env.spec,
        policy,
        qf,
        sampler,
        exploration_policy=exploration_policy,
        learning_rate=0.1 if slippery else 0.5,
        steps_per_epoch=STEPS_PER_EPOCH,
        num_evaluation_episodes=20,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    q_learning_frozen_lake()
