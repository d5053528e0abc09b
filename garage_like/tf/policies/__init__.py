"""Policies in TensorFlow."""

from garage_like.tf.policies.categorical_cnn_policy import CategoricalCNNPolicy
from garage_like.tf.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.tf.policies.categorical_recurrent_policy import (
    CategoricalGRUPolicy,
    CategoricalLSTMPolicy,
)
from garage_like.tf.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.tf.policies.discrete_qf_argmax_policy import DiscreteQFArgmaxPolicy
from garage_like.tf.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.tf.policies.gaussian_mlp_task_embedding_policy import (
    GaussianMLPTaskEmbeddingPolicy,
)
from garage_like.tf.policies.gaussian_recurrent_policy import GaussianGRUPolicy, GaussianLSTMPolicy
from garage_like.tf.policies.policy import Policy
from garage_like.tf.policies.recurrent_policy import RecurrentPolicy
from garage_like.tf.policies.stochastic_policy import StochasticPolicy

__all__ = [
    "CategoricalCNNPolicy",
    "CategoricalGRUPolicy",
    "CategoricalLSTMPolicy",
    "CategoricalMLPPolicy",
    "ContinuousMLPPolicy",
    "DiscreteQFArgmaxPolicy",
    "GaussianGRUPolicy",
    "GaussianLSTMPolicy",
    "GaussianMLPPolicy",
    "GaussianMLPTaskEmbeddingPolicy",
    "Policy",
    "RecurrentPolicy",
    "StochasticPolicy",
]
