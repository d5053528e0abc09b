"""Train ERWR on CartPole-v1, in TensorFlow.

    python examples/tf/erwr_cartpole.py --seed 1

Episodic reward-weighted regression fits the policy to its own actions, each weighted by what it
brought. The run goes to data/local/experiment/erwr_cartpole.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import ERWR
from garage_like.tf.policies import CategoricalMLPPolicy
from garage_like.trainer import TFTrainer


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def erwr_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train ERWR on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = GymEnv("CartPole-v1", max_episode_length=200)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
        baseline = LinearFeatureBaseline(env.spec)
        sampler = LocalSampler(agents=policy, envs=env)
        algo = ERWR(env.spec, policy, baseline, sampler)
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    erwr_cartpole()
