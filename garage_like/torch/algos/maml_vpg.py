"""MAMLVPG: MAML by vanilla policy gradients."""

from __future__ import annotations

from typing import Any

import torch

from garage_like.algos.meta_rl_algorithm import Tasks
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Environment, Sampler
from garage_like.torch.algos.maml import MAML
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class MAMLVPG(MAML):
    """Adapt, and learn to, by vanilla policy gradients.

    Finn et al. 2017, arXiv:1703.03400.

    Args:
        env: the environment that is trained in, or its spec.
        policy: what is trained.
        value_function: a value function in torch, or any other Baseline; LinearFeatureBaseline is
            the paper's.
        sampler: where the trainer gets episodes; `train(batch_size=...)` is the number of env steps
            for each task and each weights.
        task_sampler: draws the tasks, as `SetTaskSampler(PointEnv)` does.
        inner_lr: length of the inner step, for one unit of gradient.
        outer_lr: learning rate of Adam, which moves the weights that adaptation begins with.
        gae_lambda: 0 trusts the value function, 1 the rewards.
        meta_batch_size: tasks of one update.
        **options: other arguments of MAML.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
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
        *,
        gae_lambda: float = 1.0,
        meta_batch_size: int = 20,
        **options: Any,
    ) -> None:
        super().__init__(
            env,
            policy,
            value_function,
            sampler,
            task_sampler,
            inner_lr=inner_lr,
            meta_batch_size=meta_batch_size,
            policy_optimizer=OptimizerWrapper((torch.optim.Adam, {"lr": outer_lr}), policy),
            gae_lambda=gae_lambda,
            **options,
        )
