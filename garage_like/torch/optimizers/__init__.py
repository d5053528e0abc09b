"""Optimizers in torch."""

from garage_like.torch.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.torch.optimizers.differentiable_sgd import DifferentiableSGD
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper

__all__ = ["ConjugateGradientOptimizer", "DifferentiableSGD", "OptimizerWrapper"]
