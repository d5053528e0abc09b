"""A2C: advantage actor-critic."""

from __future__ import annotations

import torch
from torch import nn

from garage_like.torch.algos.vpg import VPG
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper


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

    @staticmethod
    def _default_optimizer_of(module: nn.Module) -> OptimizerWrapper:
        options = {"lr": 2e-3, "alpha": 0.99, "eps": 1e-5}
        return OptimizerWrapper((torch.optim.RMSprop, options), module, max_grad_norm=0.5)

    _default_policy_optimizer = _default_vf_optimizer = _default_optimizer_of
