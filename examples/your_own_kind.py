"""Objects of a library that pickle cannot save: they resume exactly once a kind says how.

    python examples/your_own_kind.py

Kill it whenever you like; the same command again goes on where it was. What it takes is the class
`CountsKind`: which classes it speaks for, how their objects are saved, and what they consist of.
`register_kind` makes it known, before anything is saved or restored.
"""

import mmap

import click
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GridWorldEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import logger, tabular
from garage_like.snapshot import Kind, register_kind


class Counts:
    """Numbers in memory that pickle does not see into, as an extension written in C keeps them."""

    def __init__(self, size):
        self._pages = mmap.mmap(-1, 8 * size)
        self._memory = memoryview(self._pages).cast("d")

    def __len__(self):
        return len(self._memory)

    def __getitem__(self, index):
        return self._memory[index]

    def add(self, index, number):
        """Count, or sum up."""
        self._memory[index] += number


class CountsKind(Kind):
    """What snapshots have to know of `Counts`."""

    name = "counts"

    def claims(self, cls):
        """Tell which classes this kind speaks for."""
        return cls is Counts

    is_named = claims  # they have a name in the snapshot's files, as arrays do

    def reduce(self, value, pickling):
        """Say how one is saved: what builds it again, and from what."""
        return counts_from, (pickling.stand_in(np.array(value), value),)

    def parts(self, value):
        """Say what one consists of: by this, two runs are compared."""
        return [(".numbers", np.array(value))]


def counts_from(numbers):
    """Build what was saved."""
    counts = Counts(len(numbers))
    for index, number in enumerate(numbers):
        counts.add(index, number)
    return counts


register_kind(CountsKind())


class CountingExplorer(RLAlgorithm):
    """Average the rewards of each action in each state, and try first what was tried least.

    Args:
        env: has discrete observations and actions.
    """

    def __init__(self, env):
        self._env = env
        self._num_actions = int(env.action_space.n)
        size = int(env.observation_space.n) * self._num_actions
        self._tried, self._reward = Counts(size), Counts(size)
        self._observation = 0

    def train_epoch(self, trainer):
        """Take the epoch's env steps; return the average reward of one."""
        total = 0.0
        for _ in range(trainer.train_args["batch_size"]):
            if self._env.needs_reset:
                self._observation, _ = self._env.reset()
            first = self._observation * self._num_actions
            place = max(range(first, first + self._num_actions), key=self._promise)
            step = self._env.step(place - first)
            self._tried.add(place, 1)
            self._reward.add(place, step.reward)
            self._observation = step.observation
            total += step.reward
        trainer.total_env_steps += trainer.train_args["batch_size"]
        trainer.step_itr += 1
        average = total / trainer.train_args["batch_size"]
        tabular.record("Evaluation/AverageReward", average)
        tabular.record("Explorer/Untried", sum(count == 0 for count in self._tried))
        logger.log(f"average reward {average:.4f}")
        return average

    def _promise(self, place):
        """Return the average reward, and more of it for what was seldom tried."""
        tried = self._tried[place]
        return (self._reward[place] / tried if tried else 0.0) + (1 + tried) ** -0.5


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=500, show_default=True, help="Env steps per epoch.")
@wrap_experiment(auto_resume=True)
def explore(ctxt=None, *, seed, n_epochs, batch_size):
    """Explore a grid world by counting."""
    set_seed(seed)
    env = GridWorldEnv("4x4", max_episode_length=100)
    trainer = Trainer(ctxt)
    trainer.setup(CountingExplorer(env), env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    explore()
