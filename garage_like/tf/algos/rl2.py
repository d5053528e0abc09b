"""RL2PPO and RL2TRPO: learn to learn within a trial."""

from __future__ import annotations

from typing import Unpack

from garage_like.algos.meta_rl_algorithm import Evaluator, Tasks
from garage_like.algos.rl2 import RL2AdaptedPolicy, TrialLearner
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.rl2_env import RL2Env
from garage_like.interfaces import Baseline, Sampler
from garage_like.sampler.rl2_worker import RL2Worker
from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.trpo import TRPO
from garage_like.tf.algos.vpg import VPGKeywords
from garage_like.tf.baselines.network_baseline import Optimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.stochastic_policy import StochasticPolicy

# These need no framework; they may be imported from here as well.
__all__ = ["RL2", "RL2PPO", "RL2TRPO", "RL2AdaptedPolicy", "RL2Env", "RL2Worker"]

RL2 = TrialLearner  # by the name that garage's programs ask for


class _Keywords(VPGKeywords, total=False):
    policy_optimizer: OptimizerWrapper | None
    vf_optimizer: Optimizer | None
    gae_lambda: float


class PPOKeywords(_Keywords, total=False):
    """What RL2PPO hands up."""

    lr_clip_range: float


class TRPOKeywords(_Keywords, total=False):
    """What RL2TRPO hands up."""

    max_kl_step: float | None


class RL2PPO(TrialLearner, PPO):
    """Train a recurrent policy by PPO on whole trials.

    Duan et al. 2016, arXiv:1611.02779. Differs from the paper: PPO in place of TRPO.

    Args:
        env_spec: of an RL2Env.
        policy: what is trained; a recurrent one.
        sampler: of RL2Workers, one for each task of a batch.
        meta_evaluator: evaluates the policy on further tasks; None for no such evaluation.
        n_epochs_per_eval: epochs from one evaluation to the next.
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
        meta_evaluator: Evaluator | None = None,
        n_epochs_per_eval: int = 10,
        **options: Unpack[PPOKeywords],
    ) -> None:
        PPO.__init__(self, env_spec, policy, baseline, sampler, **options)
        self.learn_trials(
            task_sampler, meta_batch_size, episodes_per_trial, meta_evaluator, n_epochs_per_eval
        )


class RL2TRPO(TrialLearner, TRPO):
    """Train a recurrent policy by TRPO on whole trials.

    Duan et al. 2016, arXiv:1611.02779.

    Args:
        env_spec: of an RL2Env.
        policy: what is trained; a recurrent one.
        sampler: of RL2Workers, one for each task of a batch.
        meta_evaluator: evaluates the policy on further tasks; None for no such evaluation.
        n_epochs_per_eval: epochs from one evaluation to the next.
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
        meta_evaluator: Evaluator | None = None,
        n_epochs_per_eval: int = 10,
        **options: Unpack[TRPOKeywords],
    ) -> None:
        TRPO.__init__(self, env_spec, policy, baseline, sampler, **options)
        self.learn_trials(
            task_sampler, meta_batch_size, episodes_per_trial, meta_evaluator, n_epochs_per_eval
        )
