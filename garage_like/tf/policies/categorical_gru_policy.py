"""CategoricalGRUPolicy: choose among finitely many actions, with a gated recurrent unit."""

from __future__ import annotations

from garage_like.tf.modules.gru import GRU
from garage_like.tf.policies.categorical_recurrent_policy import CategoricalRecurrentPolicy


class CategoricalGRUPolicy(CategoricalRecurrentPolicy):
    """Choose actions with the probabilities that a gated recurrent unit gives them.

    Its arguments are those of CategoricalRecurrentPolicy.
    """

    cell_class = GRU
