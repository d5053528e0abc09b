"""Train VPG on CartPole-v1 in TensorFlow: one gradient step for each batch.

    python examples/tf/vpg_cartpole.py --seed 1

Compare it with trpo_cartpole.py, which makes more of the same env steps.
"""

import click

from garage_like import TFTrainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import VPG
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import CategoricalMLPPolicy


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=100, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def vpg_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train VPG on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = GymEnv("CartPole-v1", max_episode_length=200)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
        baseline = LinearFeatureBaseline(env.spec)
        sampler = LocalSampler(agents=policy, envs=env)
        optimizer = OptimizerWrapper((Adam, {"lr": 1e-2}), policy)
        algo = VPG(env.spec, policy, baseline, sampler, policy_optimizer=optimizer)

        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    vpg_cartpole()
