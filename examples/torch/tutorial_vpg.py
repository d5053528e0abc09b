"""Write vanilla policy gradient (REINFORCE) yourself, on ready-made parts.

    python examples/torch/tutorial_vpg.py

A policy, a sampler and the logger are there; what is left is the algorithm: collect episodes, sum
up what followed each action, and make actions that were followed by much more likely. It trains
on PointEnv, where a point learns to walk to its goal.
"""

import click
import numpy as np
import torch

from garage_like import Trainer, log_performance, wrap_experiment
from garage_like.envs import PointEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.sampler import LocalSampler
from garage_like.torch.policies import GaussianMLPPolicy


class SimpleVPG(RLAlgorithm):
    """Follow the gradient of expected return (Williams 1992).

    Args:
        policy: what is trained.
        sampler: where the trainer gets episodes; it looks for the attribute `_sampler`.
        discount: factor for one env step.
        learning_rate: of Adam.
    """

    def __init__(self, policy, sampler, discount=0.95, learning_rate=1e-2):
        self.policy = policy
        self._sampler = sampler
        self._discount = discount
        self._optimizer = torch.optim.Adam(policy.parameters(), lr=learning_rate)

    def train_epoch(self, trainer):
        """Collect one batch, learn from it, and return its average return."""
        episodes = trainer.obtain_episodes(trainer.step_itr)
        returns = log_performance(trainer.step_itr, episodes, self._discount)
        self._update(episodes)
        trainer.step_itr += 1
        return float(np.mean(returns))

    def _update(self, episodes):
        """Step along the gradient of the mean of log pi(a | s) * A."""
        advantages = np.concatenate([self._returns(part.rewards) for part in episodes.split()])
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)

        distribution, _ = self.policy(torch.as_tensor(episodes.observations, dtype=torch.float32))
        log_probs = distribution.log_prob(torch.as_tensor(episodes.actions))
        loss = -(log_probs * torch.as_tensor(advantages, dtype=torch.float32)).mean()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def _returns(self, rewards):
        """Compute G_t = r_t + discount * G_(t + 1) for one episode."""
        returns = np.zeros(len(rewards) + 1)
        for t in reversed(range(len(rewards))):
            returns[t] = rewards[t] + self._discount * returns[t + 1]
        return returns[:-1]


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=100, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def tutorial_vpg(ctxt=None, *, seed, n_epochs, batch_size):
    """Train a policy gradient of one's own on PointEnv."""
    set_seed(seed)
    env = normalize(PointEnv(max_episode_length=100))
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32))
    sampler = LocalSampler(agents=policy, envs=env)

    trainer = Trainer(ctxt)
    trainer.setup(SimpleVPG(policy, sampler), env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    tutorial_vpg()
