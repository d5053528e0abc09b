"""A2C: advantage actor-critic."""

from __future__ import annotations

from typing import Unpack

import torch
from torch import nn

from garage_like.algos.on_policy import OnPolicyOptions
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.torch.algos.vpg import VPG
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class A2C(VPG):
    """Take one gradient step after every few env steps of many environments.

    The synchronous form of A3C: Mnih et al. 2016, arXiv:1602.01783. A batch consists of fragments
    of a few steps, whose returns are bootstrapped by the value function. Differs from the paper:
    policy and value function have networks and optimizers of their own, so that no coefficient
    weighs their losses; gradients of each are cut to a norm; advantages are centred, and the
    entropy bonus is off by default.

    Args:
        policy_optimizer: None for RMSprop, one step on the whole batch.
        vf_optimizer: the same, of the value function; only for one in torch.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: OptimizerWrapper | None = None,
        *,
        gae_lambda: float = 1.0,
        **options: Unpack[OnPolicyOptions],
    ) -> None:
        if vf_optimizer is None and isinstance(value_function, nn.Module):
            vf_optimizer = _rmsprop(value_function)
        super().__init__(
            env_spec,
            policy,
            value_function,
            sampler,
            policy_optimizer,
            vf_optimizer,
            gae_lambda=gae_lambda,
            **options,
        )

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy) -> OptimizerWrapper:
        return _rmsprop(policy)


def _rmsprop(module: nn.Module) -> OptimizerWrapper:
    options = {"lr": 2e-3, "alpha": 0.99, "eps": 1e-5}
    return OptimizerWrapper((torch.optim.RMSprop, options), module, max_grad_norm=0.5)
