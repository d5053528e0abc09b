"""Write the cross-entropy method yourself, on ready-made parts.

    python examples/np/tutorial_cem.py

The method in a sentence: draw weights at random, let each play, keep the best, and draw the next
ones around those. The trainer, the sampler and the policy do the rest, resuming included: what the
search knows lies in attributes, so a snapshot has it.
"""

import click
import numpy as np

from garage_like import EpisodeBatch, Trainer, log_performance, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.seeding import stream


class SimpleCEM(RLAlgorithm):
    """Search for weights by the cross-entropy method (Rubinstein 1999).

    Args:
        policy: whose weights are searched.
        sampler: where the trainer gets episodes; it looks for the attribute `_sampler`.
        n_samples: candidates in one epoch.
        n_best: how many of them the next ones are drawn around.
        std: standard deviation of the first candidates.
    """

    def __init__(self, policy, sampler, n_samples=20, n_best=4, std=2.0):
        self.policy = policy
        self._sampler = sampler
        self._n_samples = n_samples
        self._n_best = n_best
        self._mean = policy.get_param_values()
        self._std = np.full_like(self._mean, std)
        self._rng = stream("cem")

    def train_epoch(self, trainer):
        """Let each candidate play, then move towards the best; return the average return."""
        noise = self._rng.standard_normal((self._n_samples, len(self._mean)))
        candidates = self._mean + self._std * noise
        batches = [self._play(candidate, trainer) for candidate in candidates]
        returns = np.array([batch.rewards.sum() / len(batch) for batch in batches])

        best = candidates[np.argsort(-returns)[: self._n_best]]
        self._mean, self._std = best.mean(axis=0), best.std(axis=0) + 0.1
        self.policy.set_param_values(self._mean)

        tabular.record("SimpleCEM/MeanStd", self._std.mean())
        log_performance(trainer.step_itr, EpisodeBatch.concatenate(*batches), discount=0.99)
        return float(returns.mean())

    def _play(self, candidate, trainer):
        self.policy.set_param_values(candidate)
        trainer.step_itr += 1
        return trainer.obtain_episodes(trainer.step_itr)


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=1000, show_default=True, help="Env steps per candidate.")
@wrap_experiment
def tutorial_cem(ctxt=None, *, seed, n_epochs, batch_size):
    """Train CartPole-v1 by a cross-entropy method of one's own."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    sampler = LocalSampler(agents=policy, envs=env)

    trainer = Trainer(ctxt)
    trainer.setup(SimpleCEM(policy, sampler), env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    tutorial_cem()
