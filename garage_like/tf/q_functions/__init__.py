"""Q-functions in TensorFlow: what actions are worth."""

from garage_like.tf.q_functions.continuous_cnn_q_function import ContinuousCNNQFunction
from garage_like.tf.q_functions.continuous_mlp_q_function import ContinuousMLPQFunction
from garage_like.tf.q_functions.discrete_cnn_q_function import DiscreteCNNQFunction
from garage_like.tf.q_functions.discrete_mlp_q_function import (
    DiscreteMLPDuelingQFunction,
    DiscreteMLPQFunction,
)

__all__ = [
    "DiscreteMLPDuelingQFunction",
    "ContinuousCNNQFunction",
    "ContinuousMLPQFunction",
    "DiscreteCNNQFunction",
    "DiscreteMLPQFunction",
]
