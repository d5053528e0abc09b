"""MAMLTRPO: MAML by TRPO, the paper's choice."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from torch.distributions import Distribution

from garage_like.algos.meta_rl_algorithm import Tasks
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Environment, Sampler
from garage_like.torch.algos.maml import MAML, MAMLOptions, Rollout
from garage_like.torch.algos.trpo import TRPO
from garage_like.torch.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class MAMLTRPO(MAML, TRPO):
    """Adapt by policy gradients, and learn to by TRPO, as the paper does.

    Finn et al. 2017, arXiv:1703.03400.

    Args:
        outer_lr: has no effect: the trust region says how far a step goes.
        max_kl_step: the trust region, for the mean KL of adapted policies.
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
