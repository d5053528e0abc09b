"""MAMLPPO: MAML by PPO's clipped objective."""

from __future__ import annotations

from typing import Unpack

from garage_like.algos.meta_rl_algorithm import Tasks
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Environment, Sampler
from garage_like.torch.algos.maml import MAML, MAMLOptions
from garage_like.torch.algos.ppo import PPO
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class MAMLPPO(MAML, PPO):
    """Adapt, and learn to, by PPO's clipped objective.

    Finn et al. 2017, arXiv:1703.03400. Differs from the paper: PPO in place of TRPO.
    One step of Adam is taken on each batch, so clipping only tells within an inner step.
    """

    def __init__(
        self,
        env: Environment | EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None,
        task_sampler: Tasks,
        inner_lr: float = 0.1,
        outer_lr: float = 1e-3,
        lr_clip_range: float = 0.5,
        *,
        gae_lambda: float = 1.0,
        meta_batch_size: int = 20,
        **options: Unpack[MAMLOptions],
    ) -> None:
        super().__init__(
            env,
            policy,
            value_function,
            sampler,
            task_sampler,
            inner_lr,
            outer_lr,
            lr_clip_range=lr_clip_range,
            gae_lambda=gae_lambda,
            meta_batch_size=meta_batch_size,
            **options,
        )
