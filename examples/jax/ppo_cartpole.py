"""Train PPO in JAX on CartPole: an epoch is one compiled function, environments are functions.

    python examples/jax/ppo_cartpole.py --seed 1 --num-seeds 3

Ten thousand env steps take a few hundredths of a second once the epoch is compiled. Kill it, and
the same command goes on where it was. An environment of gymnax goes in the same place:
`JaxEnv(*gymnax.make("CartPole-v1"))`.
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import CartPole, JaxEnv
from garage_like.jax.policies import CategoricalMLPPolicy


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--num-seeds", default=1, show_default=True, help="Runs that are trained at once.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=10240, show_default=True, help="Env steps per epoch.")
@wrap_experiment(auto_resume=True)
def ppo_cartpole_in_jax(ctxt=None, *, seed, num_seeds, n_epochs, batch_size):
    """Train PPO on CartPole."""
    set_seed(seed)
    env = JaxEnv(CartPole())
    num_steps = n_epochs * batch_size // 64
    algo = PPO(
        env,
        CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64)),
        num_envs=8,
        learning_rate=lambda step: 2.5e-3 * (1.0 - step / num_steps),
        num_seeds=num_seeds,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    ppo_cartpole_in_jax()
