"""CategoricalLSTMPolicy: choose among finitely many actions, with a long short-term memory."""

from __future__ import annotations

from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.policies.categorical_recurrent_policy import CategoricalRecurrentPolicy


class CategoricalLSTMPolicy(CategoricalRecurrentPolicy):
    """Choose actions with the probabilities that a long short-term memory gives them.

    Its arguments are those of CategoricalRecurrentPolicy.
    """

    cell_class = LSTM
