"""Train NPO on CartPole-v1 in TensorFlow; its baseline is fitted within a trust region.

python examples/tf/npo_cartpole.py --seed 1
"""

import click

from garage_like import TFTrainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import NPO
from garage_like.tf.baselines import GaussianMLPBaseline
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import CategoricalMLPPolicy


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=40, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def npo_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train NPO on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = GymEnv("CartPole-v1")
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
        baseline = GaussianMLPBaseline(env.spec, use_trust_region=True, normalize_outputs=True)
        sampler = LocalSampler(agents=policy, envs=env)
        optimizer = OptimizerWrapper((Adam, {"lr": 1e-2}), policy)
        algo = NPO(env.spec, policy, baseline, sampler, policy_optimizer=optimizer)

        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    npo_cartpole()
