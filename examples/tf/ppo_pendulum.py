"""Train PPO on Pendulum-v1 in TensorFlow: continuous actions, several environments at once.

    python examples/tf/ppo_pendulum.py --seed 1

`normalize` lets actions between -1 and 1 stand for all that the motor can do, and the worker steps
eight copies of the environment side by side.
"""

import click

from garage_like import TFTrainer, wrap_experiment
from garage_like.envs import GymEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.tf.algos import PPO
from garage_like.tf.baselines import GaussianMLPBaseline
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import GaussianMLPPolicy


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=75, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def ppo_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train PPO on Pendulum-v1."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = normalize(GymEnv("Pendulum-v1"))
        policy = GaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
        baseline = GaussianMLPBaseline(env.spec, hidden_sizes=(64, 64))
        sampler = LocalSampler(agents=policy, envs=env, worker_class=VecWorker)
        algo = PPO(
            env.spec,
            policy,
            baseline,
            sampler,
            policy_optimizer=OptimizerWrapper(
                (Adam, {"lr": 1e-3}), policy, max_optimization_epochs=10, minibatch_size=256
            ),
            discount=0.9,
            gae_lambda=0.95,
        )

        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    ppo_pendulum()
