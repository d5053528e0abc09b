"""MAMLTRPO: MAML by TRPO, the paper's choice."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch.distributions import Distribution

from garage_like.algos.meta_rl_algorithm import Tasks
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Environment, Sampler
from garage_like.torch.algos.maml import MAML, Rollout
from garage_like.torch.algos.trpo import TRPO
from garage_like.torch.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class MAMLTRPO(MAML, TRPO):
    """Adapt by policy gradients, and learn to by TRPO, as the paper does.

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
        outer_lr: has no effect: the trust region says how far a step goes.
        max_kl_step: the trust region, for the mean KL of adapted policies.
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
        inner_lr: float = 0.01,
        outer_lr: float = 1e-3,
        max_kl_step: float = 0.01,
        *,
        gae_lambda: float = 1.0,
        meta_batch_size: int = 40,
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
            policy_optimizer=OptimizerWrapper(
                (ConjugateGradientOptimizer, {"max_constraint_value": max_kl_step}), policy
            ),
            gae_lambda=gae_lambda,
            **options,
        )

    def _move_theta(self, old: list[Distribution], tasks: list[list[Rollout]]) -> None:
        """Go as far along the natural gradient as adapted policies stay close to what they were."""
        self._policy_optimizer.step(
            f_loss=partial(self._meta_loss, tasks), f_constraint=partial(self._meta_kl, old, tasks)
        )
