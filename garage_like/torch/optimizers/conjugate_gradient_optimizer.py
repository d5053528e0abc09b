"""ConjugateGradientOptimizer: the largest step along the natural gradient within a trust region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from garage_like.np.line_search import check_line_search

Scalar = Callable[[], torch.Tensor]
"""Computes a scalar from the parameters as they are now."""


class ConjugateGradientOptimizer(torch.optim.Optimizer):
    """Minimise a loss under a constraint, one step at a time.

    The direction solves H x = g by conjugate gradients, where g is the gradient of the loss and H
    the Hessian of the constraint; it is as long as the constraint allows (to second order), and a
    line search shortens it until the loss falls and the constraint holds. A step for which neither
    comes about is not taken. Appendix C of Schulman et al. 2015, arXiv:1502.05477.

    Args:
        params: parameters to move.
        max_constraint_value: the trust region.
        cg_iters: iterations of conjugate gradients.
        max_backtracks: lengths that the line search tries.
        backtrack_ratio: each of them, as a part of the one before.
        hvp_reg_coeff: added to the diagonal of H, so that it is safely positive.
        accept_violation: keep the last length tried even if it breaks the constraint.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        max_constraint_value: float,
        cg_iters: int = 10,
        max_backtracks: int = 15,
        backtrack_ratio: float = 0.8,
        hvp_reg_coeff: float = 1e-5,
        accept_violation: bool = False,
    ) -> None:
        check_line_search(max_constraint_value, cg_iters, max_backtracks, backtrack_ratio)
        defaults = {
            "max_constraint_value": max_constraint_value,
            "cg_iters": cg_iters,
            "max_backtracks": max_backtracks,
            "backtrack_ratio": backtrack_ratio,
            "hvp_reg_coeff": hvp_reg_coeff,
            "accept_violation": accept_violation,
        }
        super().__init__(params, defaults)

    def step(self, f_loss: Scalar, f_constraint: Scalar) -> torch.Tensor:  # type: ignore[override]
        """Take one step.

        Args:
            f_loss: computes the loss.
            f_constraint: computes the constraint: zero, with zero gradient, where we are.

        Returns:
            The loss before the step.
        """
        group = self.param_groups[0]
        params: list[torch.Tensor] = group["params"]
        loss = f_loss()
        gradient = _flat(torch.autograd.grad(loss, params, allow_unused=True), params)
        hessian = HessianVectorProduct(f_constraint(), params, group["hvp_reg_coeff"])
        direction = conjugate_gradient(hessian, gradient, group["cg_iters"])
        # To second order the constraint at x is x'Hx / 2 (its value and gradient are zero here).
        curvature = direction.dot(hessian(direction))
        length = torch.sqrt(2.0 * group["max_constraint_value"] / (curvature + 1e-8))
        with torch.no_grad():
            self._search(params, length * direction, loss.detach(), f_loss, f_constraint, group)
        return loss.detach()

    @staticmethod
    def _search(
        params: list[torch.Tensor],
        step: torch.Tensor,
        loss_before: torch.Tensor,
        f_loss: Scalar,
        f_constraint: Scalar,
        group: dict[str, Any],
    ) -> None:
        """Go along -step as far as the loss falls and the constraint holds, or stay."""
        start = parameters_to_vector(params)
        ratio = 1.0
        for _ in range(group["max_backtracks"]):
            vector_to_parameters(start - ratio * step, params)
            if f_loss() < loss_before and f_constraint() <= group["max_constraint_value"]:
                return
            ratio *= group["backtrack_ratio"]
        if not (group["accept_violation"] and f_loss() < loss_before):
            vector_to_parameters(start, params)


class HessianVectorProduct:
    """Multiply the Hessian of a scalar by vectors, through its gradient's own graph.

    Args:
        scalar: what is differentiated twice.
        params: by what.
        regularization: added to the diagonal.
    """

    def __init__(
        self, scalar: torch.Tensor, params: list[torch.Tensor], regularization: float = 0.0
    ) -> None:
        self._params = params
        self._regularization = regularization
        gradients = torch.autograd.grad(scalar, params, create_graph=True, allow_unused=True)
        self._gradient = _flat(gradients, params)

    def __call__(self, vector: torch.Tensor) -> torch.Tensor:
        """Return H v + regularization v, shape (P,), for a vector of shape (P,)."""
        product = torch.autograd.grad(
            self._gradient.dot(vector), self._params, retain_graph=True, allow_unused=True
        )
        return _flat(product, self._params) + self._regularization * vector


def conjugate_gradient(
    matrix: Callable[[torch.Tensor], torch.Tensor],
    right_side: torch.Tensor,
    iterations: int,
    residual_tolerance: float = 1e-10,
) -> torch.Tensor:
    """Solve A x = b for a symmetric positive A that is known by its products only.

    Args:
        matrix: maps v to A v.
        right_side: b, shape (P,).
        iterations: at most so many products.
        residual_tolerance: stop where |b - A x|^2 is less.
    """
    x = torch.zeros_like(right_side)
    residual = right_side.clone()
    direction = residual.clone()
    square = residual.dot(residual)
    for _ in range(iterations):
        if square < residual_tolerance:
            break
        product = matrix(direction)
        alpha = square / direction.dot(product)
        x += alpha * direction
        residual -= alpha * product
        next_square = residual.dot(residual)
        direction = residual + (next_square / square) * direction
        square = next_square
    return x


def _flat(gradients: Iterable[torch.Tensor | None], params: Iterable[torch.Tensor]) -> torch.Tensor:
    """Join gradients into one vector, zeros where a parameter plays no part."""
    parts = [
        torch.zeros_like(p).reshape(-1) if g is None else g.reshape(-1)
        for g, p in zip(gradients, params, strict=True)
    ]
    return torch.cat(parts)
