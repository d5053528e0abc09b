"""Actions of a batch as updates take them."""

from __future__ import annotations

import numpy as np

from garage_like.data.batches import EpisodeBatch


def action_rows(episodes: EpisodeBatch) -> np.ndarray:
    """Return actions, shape (S,), int64, if discrete, else (S, K), float32."""
    if episodes.env_spec.is_discrete:
        return episodes.actions.astype(np.int64)
    return episodes.actions.astype(np.float32).reshape(len(episodes.actions), -1)
