"""A small run of each algorithm in NumPy."""

from __future__ import annotations

from typing import Any

from small_parts import HIDDEN, explorer, fragments, grid, point

from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.np.algos import CEM, CMAES, SARSA, QLearning
from garage_like.np.policies import CategoricalMLPPolicy, GaussianMLPPolicy, TabularArgmaxPolicy
from garage_like.np.q_functions import TabularQFunction

Run = tuple[RLAlgorithm, Environment]


def cem() -> Run:
    env = grid()
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    return CEM(env.spec, policy, fragments(policy, env), n_samples=4, best_frac=0.5), env


def cma_es() -> Run:
    env = point()
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=())
    return CMAES(env.spec, policy, fragments(policy, env), n_samples=4), env


def q_learning() -> Run:
    return _tabular(QLearning)


def sarsa() -> Run:
    return _tabular(SARSA)


def _tabular(cls: Any) -> Run:
    env = grid()
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    exploration = explorer(env, policy)
    algo = cls(
        env.spec,
        policy,
        qf,
        fragments(exploration, env),
        exploration_policy=exploration,
        learning_rate=0.5,
        steps_per_epoch=1,
        num_evaluation_episodes=1,
    )
    return algo, env
