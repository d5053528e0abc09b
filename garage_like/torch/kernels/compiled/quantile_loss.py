"""The quantile Huber loss, and its gradient, by the library."""

from __future__ import annotations

import ctypes

import numpy as np

from garage_like.np.compiled.binding import QuantileLoss, address_of, steps


def quantile_loss(
    quantiles: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Compute the loss of each row, shape (B,), and its gradient; None if there is no library.

    Args:
        quantiles: shape (B, C, M), float32, of C Q-functions.
        targets: shape (B, K), float32.

    Returns:
        The losses, and their gradient by the quantiles, shape (B, C, M).
    """
    library = steps()
    if library is None:
        return None
    quantiles, targets = np.ascontiguousarray(quantiles), np.ascontiguousarray(targets)
    rows, count, each = quantiles.shape
    losses, slopes = np.empty(rows, np.float32), np.empty_like(quantiles)
    asked = QuantileLoss(
        rows,
        count * each,
        each,
        targets.shape[1],
        *(address_of(array) for array in (quantiles, targets, losses, slopes)),
    )
    library.quantile_loss(ctypes.byref(asked))
    return losses, slopes
