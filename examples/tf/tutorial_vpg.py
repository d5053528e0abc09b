"""Write vanilla policy gradient (REINFORCE) yourself in TensorFlow, on ready-made parts.

    python examples/tf/tutorial_vpg.py

A policy, a sampler and the logger are there; what is left is the algorithm: collect episodes, sum
up what followed each action, and make actions that were followed by much more likely. It trains
on PointEnv, where a point learns to walk to its goal. The gradient step is one traced function;
`traced` keeps its trace out of snapshots. `tf` is TensorFlow itself, loaded without its noise.
"""

import click
import numpy as np

from garage_like import TFTrainer, log_performance, wrap_experiment
from garage_like.envs import PointEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.sampler import LocalSampler
from garage_like.tf.optimizers import Adam
from garage_like.tf.policies import GaussianMLPPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


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
        self._optimizer = Adam(policy.trainable_variables, lr=learning_rate)

    def train_epoch(self, trainer):
        """Collect one batch, learn from it, and return its average return."""
        episodes = trainer.obtain_episodes(trainer.step_itr)
        returns = log_performance(trainer.step_itr, episodes, self._discount)
        advantages = np.concatenate([self._returns(part.rewards) for part in episodes.split()])
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        self._update(episodes.observations, episodes.actions, advantages)
        trainer.step_itr += 1
        return float(np.mean(returns))

    @traced
    def _update(self, observations, actions, advantages):
        """Step along the gradient of the mean of log pi(a | s) * A."""
        with tf.GradientTape() as tape:
            distribution, _ = self.policy(tf.cast(observations, tf.float32))
            log_probs = distribution.log_prob(tf.cast(actions, tf.float32))
            loss = -tf.reduce_mean(log_probs * tf.cast(advantages, tf.float32))
        self._optimizer.apply(tape.gradient(loss, self.policy.trainable_variables))

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
    with TFTrainer(ctxt) as trainer:
        env = normalize(PointEnv(max_episode_length=100))
        policy = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32))
        sampler = LocalSampler(agents=policy, envs=env)

        trainer.setup(SimpleVPG(policy, sampler), env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    tutorial_vpg()
