"""Optimizers in TensorFlow: first order, conjugate gradients, L-BFGS."""

from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.tf.optimizers.described import (
    FiniteDifferenceHVP,
    FirstOrderOptimizer,
    PearlmutterHVP,
)
from garage_like.tf.optimizers.lbfgs_optimizer import LBFGSOptimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.optimizers.penalty_lbfgs_optimizer import PenaltyLBFGSOptimizer

__all__ = [
    "Adam",
    "ConjugateGradientOptimizer",
    "FiniteDifferenceHVP",
    "FirstOrderOptimizer",
    "LBFGSOptimizer",
    "OptimizerWrapper",
    "PearlmutterHVP",
    "PenaltyLBFGSOptimizer",
]
