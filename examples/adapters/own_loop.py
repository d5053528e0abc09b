"""A loop of one's own, REINFORCE on CartPole in plain torch, goes on bit for bit when it is killed.

    python examples/adapters/own_loop.py --n-epochs 50 --seed 3

Kill it and type the same again. What `run` holds is saved; `epochs` is all that was added.
"""

from types import SimpleNamespace

import click
import gymnasium as gym
import torch

from garage_like import epochs
from garage_like.logging import tabular


@click.command()
@click.option("--n-epochs", default=50, show_default=True, help="Epochs in total.")
@click.option("--seed", default=1, show_default=True, help="Seed of weights and environment.")
@click.option("--log-dir", default="runs/own_loop", show_default=True, help="The run directory.")
def main(n_epochs: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    torch.manual_seed(seed)
    run = SimpleNamespace(env=gym.make("CartPole-v1"))
    run.observation, _ = run.env.reset(seed=seed)
    layers = torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2)
    run.policy = torch.nn.Sequential(*layers)
    run.optimizer = torch.optim.Adam(run.policy.parameters(), lr=1e-2)
    for _ in epochs(log_dir, n_epochs, vars(run)):
        tabular.record("AverageReturn", train_epoch(run))


def train_epoch(run: SimpleNamespace) -> float:
    """Play ten episodes, and climb the gradient of what they brought."""
    losses, totals = [], []
    for _ in range(10):
        log_probs, total, is_over = [], 0.0, False
        while not is_over:
            logits = run.policy(torch.as_tensor(run.observation))
            choice = torch.distributions.Categorical(logits=logits)
            action = choice.sample()
            log_probs.append(choice.log_prob(action))
            run.observation, reward, terminated, truncated, _ = run.env.step(action.item())
            total, is_over = total + float(reward), terminated or truncated
        run.observation, _ = run.env.reset()
        losses.append(-torch.stack(log_probs).sum() * total)
        totals.append(total)
    run.optimizer.zero_grad()
    (torch.stack(losses).mean() / 100).backward()
    run.optimizer.step()
    return sum(totals) / len(totals)


if __name__ == "__main__":
    main()
