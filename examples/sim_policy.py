"""Play episodes with the policy of a snapshot, and print what they return.

    python examples/sim_policy.py data/local/experiment/ppo_cartpole --which best

Loading a snapshot runs code that it brings along: load only what you trust. To read its weights as
plain arrays instead, see `garage_like.snapshot.read_snapshot`.
"""

import click
import numpy as np

from garage_like import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.snapshot import Snapshotter


@click.command()
@click.argument("run_dir", type=click.Path(exists=True))
@click.option("--which", default="last", show_default=True, help="first, last, best or an epoch.")
@click.option("--episodes", default=10, show_default=True, help="How many to play.")
@click.option("--sample", is_flag=True, help="Draw actions instead of taking the likeliest.")
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
def sim_policy(run_dir, which, episodes, sample, seed):
    """Play episodes with the policy of a snapshot in RUN_DIR."""
    set_seed(seed)
    objects = Snapshotter().load(run_dir, int(which) if which.isdecimal() else which)
    algo, env = objects["algo"], objects["env"]
    batch = obtain_evaluation_episodes(
        algo.policy, env, max_episode_length=None, num_eps=episodes, deterministic=not sample
    )
    returns = [episode["rewards"].sum() for episode in batch.to_list()]
    for episode, (total, length) in enumerate(zip(returns, batch.lengths, strict=True)):
        print(f"episode {episode}: return {total:.2f} in {length} env steps")
    print(f"average return {np.mean(returns):.2f}, standard deviation {np.std(returns):.2f}")


if __name__ == "__main__":
    sim_policy()
