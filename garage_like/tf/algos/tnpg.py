"""TNPG: truncated natural policy gradient."""

from __future__ import annotations

from garage_like.tf.algos.trpo import TRPO
from garage_like.tf.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.stochastic_policy import StochasticPolicy


class TNPG(TRPO):
    """Take the natural gradient's step of the length that the trust region allows, without search.

    Natural gradients (Kakade 2001) by truncated conjugate gradients, as compared in Duan et al.
    2016, arXiv:1604.06778. Differs from the paper: a step that makes the loss worse is not taken.

    Its arguments are those of TRPO.
    """

    @staticmethod
    def _trust_region(policy: StochasticPolicy, max_kl: float) -> OptimizerWrapper:
        options = {"max_constraint_value": max_kl, "max_backtracks": 1, "accept_violation": True}
        return OptimizerWrapper((ConjugateGradientOptimizer, options), policy)
