"""RL2PPO and RL2TRPO: learn to learn within a trial."""

from __future__ import annotations

from typing import Any

from garage_like.algos.rl2 import Tasks, TrialLearner
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.rl2_env import RL2Env
from garage_like.interfaces import Baseline, Sampler
from garage_like.sampler.rl2_worker import RL2Worker
from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.trpo import TRPO
from garage_like.tf.policies.stochastic_policy import StochasticPolicy

# RL2Env and RL2Worker need no framework; they may be imported from here as well.
__all__ = ["RL2PPO", "RL2TRPO", "RL2Env", "RL2Worker"]


class RL2PPO(TrialLearner, PPO):
    """Train a recurrent policy by PPO on whole trials.

    Duan et al. 2016, arXiv:1611.02779. Differs from the paper: PPO in place of TRPO.

    Args:
        env_spec: of an RL2Env.
        policy: what is trained; a recurrent one.
        baseline: a baseline in TensorFlow, or any other Baseline.
        sampler: of RL2Workers, one for each task of a batch.
        task_sampler: draws the tasks of each batch, as `SetTaskSampler(PointEnv)` does.
        meta_batch_size: tasks of one batch.
        episodes_per_trial: what the workers are expected to play; None takes it as it comes.
        **options: other arguments of PPO.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        *,
        task_sampler: Tasks,
        meta_batch_size: int = 20,
        episodes_per_trial: int | None = None,
        **options: Any,
    ) -> None:
        PPO.__init__(self, env_spec, policy, baseline, sampler, **options)
        self.learn_trials(task_sampler, meta_batch_size, episodes_per_trial)


class RL2TRPO(TrialLearner, TRPO):
    """Train a recurrent policy by TRPO on whole trials.

    Duan et al. 2016, arXiv:1611.02779.

    Args:
        env_spec: of an RL2Env.
        policy: what is trained; a recurrent one.
        baseline: a baseline in TensorFlow, or any other Baseline.
        sampler: of RL2Workers, one for each task of a batch.
        task_sampler: draws the tasks of each batch, as `SetTaskSampler(PointEnv)` does.
        meta_batch_size: tasks of one batch.
        episodes_per_trial: what the workers are expected to play; None takes it as it comes.
        **options: other arguments of TRPO.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        *,
        task_sampler: Tasks,
        meta_batch_size: int = 20,
        episodes_per_trial: int | None = None,
        **options: Any,
    ) -> None:
        TRPO.__init__(self, env_spec, policy, baseline, sampler, **options)
        self.learn_trials(task_sampler, meta_batch_size, episodes_per_trial)
