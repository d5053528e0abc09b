"""The quantile Huber loss of TQC, equation 3, in torch."""

from __future__ import annotations

from typing import Any

import torch


def quantile_huber_loss(quantiles: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Compute the mean of |tau - 1{d < 0}| huber(d) over quantiles and targets.

    Args:
        quantiles: shape (B, C, M), of C Q-functions, for tau = (2 m + 1) / 2 M.
        targets: shape (B, K); no gradient goes to them.

    Returns:
        Shape (B,).
    """
    loss: torch.Tensor = _QuantileHuberLoss.apply(quantiles, targets)
    return loss


def huber_loss_and_slopes(
    quantiles: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss, shape (B,), and its gradient by the quantiles, shape (B, C, M).

    Goes over the differences, shape (B, C, M, K), once. The slope of huber(d) is c = d cut to
    [-1, 1], and huber(d) itself is c (d - c / 2). Autograd takes three times as long.
    """
    count = quantiles.shape[2]
    taus = (torch.arange(count, device=quantiles.device, dtype=quantiles.dtype) + 0.5) / count
    differences = targets[:, None, None, :] - quantiles[:, :, :, None]
    slopes = differences.clamp(-1.0, 1.0)
    differences.sub_(slopes, alpha=0.5)  # has the sign that it had
    slopes.mul_(torch.where(differences < 0.0, 1.0 - taus[:, None], taus[:, None]))
    per_sample = differences[0].numel()
    by_quantiles = slopes.sum(dim=3).mul_(-1.0 / per_sample)
    return slopes.mul_(differences).flatten(1).sum(dim=1).div_(per_sample), by_quantiles


class _QuantileHuberLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, quantiles: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        loss, slopes = huber_loss_and_slopes(quantiles, targets)
        ctx.save_for_backward(slopes)
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (to_quantiles,) = ctx.saved_tensors
        return gradients[:, None, None] * to_quantiles, None
