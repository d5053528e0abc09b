"""Stable-Baselines3's PPO learns CartPole, and goes on bit for bit when it is killed.

    python examples/adapters/sb3_ppo.py --timesteps 20000 --seed 3

Kill it and type the same again. Without us the line would be `model.learn(timesteps)`.
"""

import click
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from garage_like.adapters import sb3


@click.command()
@click.option("--timesteps", default=20_000, show_default=True, help="Env steps in total.")
@click.option("--seed", default=1, show_default=True, help="Seed of model and environments.")
@click.option("--log-dir", default="runs/sb3_ppo", show_default=True, help="The run directory.")
def main(timesteps: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    env = make_vec_env("CartPole-v1", n_envs=4, seed=seed)
    model = PPO("MlpPolicy", env, n_steps=128, batch_size=128, seed=seed, device="cpu")
    sb3.learn(model, timesteps, log_dir)
    returns = [episode["r"] for episode in model.ep_info_buffer or ()]
    print(f"mean return of the last {len(returns)} episodes: {sum(returns) / len(returns):.1f}")


if __name__ == "__main__":
    main()
