"""Train TRPO on CartPole-v1 and stop, for trpo_gym_tf_cartpole_pretrained.py to go on from.

    python examples/tf/trpo_gym_tf_cartpole.py

Ten epochs of 10,000 env steps. The run, with the snapshot of its last epoch, goes to
data/local/experiment/trpo_gym_tf_cartpole.
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
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=10_000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def trpo_gym_tf_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TRPO on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(snapshot_config=ctxt) as trainer:
        env = GymEnv("CartPole-v1")
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
        baseline = LinearFeatureBaseline(env.spec)
        sampler = LocalSampler(agents=policy, envs=env)
        algo = TRPO(env.spec, policy, baseline, sampler, discount=0.99, max_kl_step=0.01)

        trainer.setup(algo, env)
        trainer.train(n_epochs=n_epochs, batch_size=batch_size)


if __name__ == "__main__":
    trpo_gym_tf_cartpole()
