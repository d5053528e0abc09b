"""Policies that add exploration to another policy, and what is random altogether."""

from garage_like.algos.uniform_random_policy import UniformRandomPolicy
from garage_like.np.exploration_policies.add_gaussian_noise import AddGaussianNoise
from garage_like.np.exploration_policies.add_ornstein_uhlenbeck_noise import (
    AddOrnsteinUhlenbeckNoise,
)
from garage_like.np.exploration_policies.epsilon_greedy_policy import EpsilonGreedyPolicy
from garage_like.np.exploration_policies.exploration_policy import ExplorationPolicy

__all__ = [
    "AddGaussianNoise",
    "AddOrnsteinUhlenbeckNoise",
    "EpsilonGreedyPolicy",
    "ExplorationPolicy",
    "UniformRandomPolicy",
]
