"""Reach goals that are hardly ever met by chance: DDPG with hindsight experience replay.

    python examples/torch/her_ddpg_reach.py --seed 1

Memory pretends that where an episode led had been its goal, so there is something to learn from the
first episode on. The environment is defined here: what it observes is a Dict with the goals.
"""

import click
import gymnasium
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.replay_buffer import HERReplayBuffer
from garage_like.torch.algos import DDPG
from garage_like.torch.policies import DeterministicMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction

STEPS_PER_EPOCH = 20
REACH = 0.1


def reward_of(achieved_goals, desired_goals, infos):
    """Return 0 where a goal is reached, else -1: shape (N,) for goals of shape (N, 2)."""
    distances = np.linalg.norm(achieved_goals - desired_goals, axis=-1)
    return (distances < REACH) - 1.0


class Reach(gymnasium.Env):
    """Move a point in a square to a goal, and stay there."""

    def __init__(self):
        square = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {"observation": square, "achieved_goal": square, "desired_goal": square}
        )
        self.action_space = gymnasium.spaces.Box(-0.2, 0.2, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        """Put the point in the middle and the goal anywhere."""
        super().reset(seed=seed)
        self._point = np.zeros(2, np.float32)
        self._goal = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self._observe(), {}

    def step(self, action):
        """Move."""
        self._point = np.clip(self._point + action, -1, 1).astype(np.float32)
        observation = self._observe()
        reward = reward_of(self._point, self._goal, {})
        return observation, float(reward), False, False, {"success": reward == 0.0}

    def _observe(self):
        point, goal = self._point.copy(), self._goal.copy()
        return {"observation": point, "achieved_goal": point, "desired_goal": goal}


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=50, show_default=True, help="Env steps, 20 times an epoch.")
@wrap_experiment
def her_ddpg_reach(ctxt=None, *, seed, n_epochs, batch_size):
    """Train DDPG with hindsight experience replay."""
    set_seed(seed)
    env = GymEnv(Reach(), max_episode_length=25)
    policy = DeterministicMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qf = ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64))
    buffer = HERReplayBuffer(
        replay_k=4,
        reward_fn=reward_of,
        capacity_in_transitions=100_000,
        env_spec=env.spec,
    )
    algo = DDPG(
        env.spec,
        policy,
        qf,
        buffer,
        exploration_policy=AddGaussianNoise(
            env.spec,
            policy,
            total_timesteps=n_epochs * STEPS_PER_EPOCH * batch_size,
            max_sigma=0.1,
            min_sigma=0.02,
        ),
        policy_lr=1e-3,
        qf_lr=1e-3,
        discount=0.95,
        clip_pos_returns=True,
        clip_return=20.0,
        steps_per_epoch=STEPS_PER_EPOCH,
        gradient_steps_per_env_step=0.5,
        min_buffer_size=500,
        buffer_batch_size=128,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    her_ddpg_reach()
