"""Train TRPO on CartPole-v1 in TensorFlow.

    python examples/tf/trpo_cartpole.py --seed 1

The baseline is linear in features of observations and time: it is fitted at once, without
gradients. Episodes are cut off at 200 env steps, and after 15 epochs nearly all get there. The run
goes to data/local/experiment/trpo_cartpole.
"""

import click

from garage_like import TFTrainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import TRPO
from garage_like.tf.policies import CategoricalMLPPolicy


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=40, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def trpo_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TRPO on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(snapshot_config=ctxt) as trainer:
        env = GymEnv("CartPole-v1", max_episode_length=200)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
        baseline = LinearFeatureBaseline(env.spec)
        sampler = LocalSampler(agents=policy, envs=env)
        algo = TRPO(env.spec, policy, baseline, sampler, discount=0.99, max_kl_step=0.01)

        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    trpo_cartpole()
