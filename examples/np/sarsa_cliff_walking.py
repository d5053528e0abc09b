"""Walk along a cliff by SARSA: it learns to keep away from the edge while it still explores.

python examples/np/sarsa_cliff_walking.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos import SARSA
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.np.policies import TabularArgmaxPolicy
from garage_like.np.q_functions import TabularQFunction
from garage_like.sampler import FragmentWorker, LocalSampler

STEPS_PER_EPOCH = 50


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=20, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=20, show_default=True, help="Env steps, 50 times an epoch.")
@wrap_experiment
def sarsa_cliff_walking(ctxt=None, *, seed, n_epochs, batch_size):
    """Train SARSA on CliffWalking-v1."""
    set_seed(seed)
    env = GymEnv("CliffWalking-v1", max_episode_length=100)
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    exploration_policy = EpsilonGreedyPolicy(
        env.spec,
        policy,
        total_timesteps=n_epochs * STEPS_PER_EPOCH * batch_size,
        min_epsilon=0.02,
        decay_ratio=0.8,
    )
    sampler = LocalSampler(
        agents=exploration_policy,
        envs=env,
        worker_class=FragmentWorker,
        worker_args={"n_envs": 1},
    )
    algo = SARSA(
        env.spec,
        policy,
        qf,
        sampler,
        exploration_policy=exploration_policy,
        learning_rate=0.5,
        discount=1.0,
        steps_per_epoch=STEPS_PER_EPOCH,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    sarsa_cliff_walking()
