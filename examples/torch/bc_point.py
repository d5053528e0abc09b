"""Clone an expert: a policy learns to walk to a goal by imitation, without a reward.

python examples/torch/bc_point.py --seed 1
"""

import click
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.envs import PointEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import BC
from garage_like.torch.policies import GaussianMLPPolicy

GOAL = np.array([1.0, 1.0], np.float32)


class StraightToTheGoal:
    """The expert: it knows where the goal is, and is its own NumPy actor."""

    def act(self, observations, rng):
        """Return steps, shape (N, 2), for observations of shape (N, 3)."""
        return np.clip(GOAL - observations[:, :2], -0.1, 0.1), {}

    def actor(self):
        """Return what acts."""
        return self

    def get_action(self, observation):
        """Return one step for one observation."""
        return self.act(observation[None], None)[0][0], {}

    def reset(self, do_resets=None):
        """Do nothing: the expert remembers nothing of an episode."""


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=20, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=200, show_default=True, help="The expert's steps, an epoch.")
@wrap_experiment
def bc_point(ctxt=None, *, seed, n_epochs, batch_size):
    """Clone an expert on PointEnv."""
    set_seed(seed)
    env = PointEnv(goal=GOAL, max_episode_length=50)
    expert = StraightToTheGoal()
    learner = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32))
    algo = BC(
        env.spec,
        learner,
        batch_size=64,
        source=expert,
        sampler=LocalSampler(agents=expert, envs=env),
        policy_lr=1e-2,
        loss="log_prob",
        minibatches_per_epoch=50,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    bc_point()
