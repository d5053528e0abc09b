"""Q-functions in torch: what actions are worth."""

from garage_like.torch.q_functions.continuous_mlp_q_function import (
    ContinuousMLPQFunction,
    QuantileMLPQFunction,
)
from garage_like.torch.q_functions.discrete_cnn_q_function import (
    DiscreteCNNQFunction,
    DiscreteDuelingCNNQFunction,
)
from garage_like.torch.q_functions.discrete_mlp_q_function import DiscreteMLPQFunction

__all__ = [
    "DiscreteDuelingCNNQFunction",
    "ContinuousMLPQFunction",
    "DiscreteCNNQFunction",
    "DiscreteMLPQFunction",
    "QuantileMLPQFunction",
]
