"""RL2PPO and RL2TRPO: learn to learn within a trial."""

from __future__ import annotations

from garage_like.algos.rl2 import RL2AdaptedPolicy, TrialLearner
from garage_like.envs.rl2_env import RL2Env
from garage_like.sampler.rl2_worker import RL2Worker
from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.trpo import TRPO

# These need no framework; they may be imported from here as well.
__all__ = ["RL2", "RL2PPO", "RL2TRPO", "RL2AdaptedPolicy", "RL2Env", "RL2Worker"]

RL2 = TrialLearner  # by the name that garage's programs ask for


class RL2PPO(TrialLearner, PPO):
    """Train a recurrent policy by PPO on whole trials.

    Duan et al. 2016, arXiv:1611.02779. Differs from the paper: PPO in place of TRPO.
    """


class RL2TRPO(TrialLearner, TRPO):
    """Train a recurrent policy by TRPO on whole trials.

    Duan et al. 2016, arXiv:1611.02779.
    """
