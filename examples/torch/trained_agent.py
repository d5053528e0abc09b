"""Play episodes with an agent that comes with the repository, and print what they return.

    python examples/torch/trained_agent.py data/agents/PPO_CartPole-v1

It is built from its settings, and its weights are arrays: no code of the files runs.
"""

import click

from garage_like import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.tuned import load_agent


@click.command()
@click.argument("folder", default="data/agents/PPO_CartPole-v1")
@click.option(
    "--episodes", type=click.IntRange(1), default=10, show_default=True, help="How many to play."
)
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
def main(folder: str, episodes: int, seed: int) -> None:
    """Play episodes with the agent in FOLDER."""
    set_seed(seed)
    policy, env = load_agent(folder)
    batch = obtain_evaluation_episodes(policy, env, num_eps=episodes)
    returns = [float(rewards.sum()) for rewards in batch.padded_rewards]
    print(
        f"{sum(returns) / len(returns):.1f} on average, of {min(returns):.1f}..{max(returns):.1f}"
    )


if __name__ == "__main__":
    main()
