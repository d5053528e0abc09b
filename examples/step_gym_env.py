"""Step an environment with random actions, and tell how its episodes end.

    python examples/step_gym_env.py --env CartPole-v1

An episode ends because the task is over (terminated: the future is worth nothing), or because time
is (truncated: there would have been a future). Learning needs the difference, so each step has it.
"""

import click

from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed


@click.command()
@click.option("--env", "env_id", default="CartPole-v1", show_default=True, help="A gymnasium id.")
@click.option("--episodes", default=5, show_default=True, help="How many to play.")
@click.option("--max-episode-length", type=int, help="Cut episodes off earlier.")
@click.option("--render", is_flag=True, help="Show them in a window.")
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
def step_gym_env(env_id, episodes, max_episode_length, render, seed):
    """Step an environment with random actions."""
    set_seed(seed)
    env = GymEnv(
        env_id,
        max_episode_length=max_episode_length,
        render_mode="human" if render else None,
    )
    print(f"{env_id}: {env.spec.observation_dim} numbers observed, actions {env.action_space}")
    for episode in range(episodes):
        env.reset()
        total_reward, length = 0.0, 0
        while True:
            step = env.step(env.action_space.sample())
            total_reward += step.reward
            length += 1
            if step.last:
                break
        how = "terminated" if step.terminal else "truncated"
        print(f"episode {episode}: return {total_reward:.2f}, {how} after {length} env steps")
    env.close()


if __name__ == "__main__":
    step_gym_env()
