"""GaussianLSTMPolicy: continuous actions around a mean, with a long short-term memory."""

from __future__ import annotations

from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.policies.gaussian_recurrent_policy import GaussianRecurrentPolicy


class GaussianLSTMPolicy(GaussianRecurrentPolicy):
    """Draw actions around the mean that a long short-term memory gives.

    Its arguments are those of GaussianRecurrentPolicy.
    """

    cell_class = LSTM
