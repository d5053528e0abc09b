"""Policies in torch."""

from garage_like.torch.policies.categorical_cnn_policy import (
    CategoricalCNNPolicy,
    DiscreteCNNPolicy,
)
from garage_like.torch.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.torch.policies.categorical_recurrent_policy import (
    CategoricalCfCPolicy,
    CategoricalGRUPolicy,
    CategoricalLSTMPolicy,
)
from garage_like.torch.policies.context_conditioned_policy import ContextConditionedPolicy
from garage_like.torch.policies.deterministic_mlp_policy import DeterministicMLPPolicy
from garage_like.torch.policies.deterministic_recurrent_policy import (
    DeterministicCfCPolicy,
    DeterministicGRUPolicy,
    DeterministicLSTMPolicy,
)
from garage_like.torch.policies.discrete_qf_argmax_policy import DiscreteQFArgmaxPolicy
from garage_like.torch.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.torch.policies.gaussian_recurrent_policy import (
    GaussianCfCPolicy,
    GaussianGRUPolicy,
    GaussianLSTMPolicy,
)
from garage_like.torch.policies.policy import Policy
from garage_like.torch.policies.stochastic_policy import StochasticPolicy
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy

__all__ = [
    "CategoricalCNNPolicy",
    "CategoricalCfCPolicy",
    "CategoricalGRUPolicy",
    "CategoricalLSTMPolicy",
    "CategoricalMLPPolicy",
    "ContextConditionedPolicy",
    "DeterministicCfCPolicy",
    "DeterministicGRUPolicy",
    "DeterministicLSTMPolicy",
    "DeterministicMLPPolicy",
    "DiscreteCNNPolicy",
    "DiscreteQFArgmaxPolicy",
    "GaussianCfCPolicy",
    "GaussianGRUPolicy",
    "GaussianLSTMPolicy",
    "GaussianMLPPolicy",
    "Policy",
    "StochasticPolicy",
    "TanhGaussianMLPPolicy",
]
