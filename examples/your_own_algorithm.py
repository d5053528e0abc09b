"""An algorithm of your own, defined in the script that runs it: it resumes exactly, too.

    python examples/your_own_algorithm.py

Kill it whenever you like; the same command again goes on where it was, and so does
`garage-like resume data/local/experiment/q_learning`. What it takes:

1.  All that must survive lives in attributes: the table, the environment, the generator, and the
    episode under way. Nothing is kept in a local variable from one epoch to the next.
2.  Random numbers come from a generator that is an attribute. `stream` derives one from the seed.
3.  `train_epoch` does the work of one epoch. The trainer logs, saves, and calls it again.
"""

import click
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GridWorldEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import logger, tabular
from garage_like.seeding import stream


class QLearning(RLAlgorithm):
    """Learn the value of each action in each state, one env step at a time (Watkins 1989).

    Args:
        env: has discrete observations and actions.
        learning_rate: weight of the newest estimate.
        discount: factor for one env step.
        epsilon: how often an action is chosen at random.
    """

    def __init__(self, env, learning_rate=0.5, discount=0.95, epsilon=0.1):
        self._env = env
        self._learning_rate = learning_rate
        self._discount = discount
        self._epsilon = epsilon
        self._rng = stream("q_learning")
        self._q_table = np.zeros((env.observation_space.n, env.action_space.n))
        self._observation = None
        self._return = 0.0

    def train_epoch(self, trainer):
        """Take the epoch's env steps, learning from each; return the average return."""
        returns = []
        for _ in range(trainer.train_args["batch_size"]):
            if self._env.needs_reset:
                self._observation, _ = self._env.reset()
                self._return = 0.0
            self._learn_from_one_step()
            if self._env.needs_reset:
                returns.append(self._return)
        trainer.total_env_steps += trainer.train_args["batch_size"]
        trainer.step_itr += 1

        average = float(np.mean(returns)) if returns else np.nan
        tabular.record("Evaluation/AverageReturn", average)
        tabular.record("Evaluation/NumEpisodes", len(returns))
        tabular.record("QLearning/MeanValue", self._q_table.max(axis=1).mean())
        logger.log(f"{len(returns)} episodes, average return {average:.3f}")
        return average

    def _learn_from_one_step(self):
        """Move Q(s, a) towards r + discount * max Q(s', .)."""
        action = self._choose_action(self._q_table[self._observation])
        step = self._env.step(action)
        target = step.reward
        if not step.terminal:
            target += self._discount * self._q_table[step.observation].max()
        error = target - self._q_table[self._observation, action]
        self._q_table[self._observation, action] += self._learning_rate * error
        self._observation = step.observation
        self._return += step.reward

    def _choose_action(self, values):
        if self._rng.random() < self._epsilon:
            return int(self._rng.integers(len(values)))
        return int(self._rng.choice(np.flatnonzero(values == values.max())))


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=50, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=500, show_default=True, help="Env steps per epoch.")
@wrap_experiment(auto_resume=True)
def q_learning(ctxt=None, *, seed, n_epochs, batch_size):
    """Learn to walk through a grid world."""
    set_seed(seed)
    env = GridWorldEnv("4x4", max_episode_length=100)
    trainer = Trainer(ctxt)
    trainer.setup(QLearning(env), env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    q_learning()
