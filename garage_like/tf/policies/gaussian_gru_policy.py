"""GaussianGRUPolicy: continuous actions around a mean, with a gated recurrent unit."""

from __future__ import annotations

from garage_like.tf.modules.gru import GRU
from garage_like.tf.policies.gaussian_recurrent_policy import GaussianRecurrentPolicy


class GaussianGRUPolicy(GaussianRecurrentPolicy):
    """Draw actions around the mean that a gated recurrent unit gives.

    Its arguments are those of GaussianRecurrentPolicy.
    """

    cell_class = GRU
