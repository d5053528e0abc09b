"""MAMLVPG: MAML by vanilla policy gradients."""

from __future__ import annotations

from garage_like.torch.algos.maml import MAML


class MAMLVPG(MAML):
    """Adapt, and learn to, by vanilla policy gradients.

    Finn et al. 2017, arXiv:1703.03400.
    """
