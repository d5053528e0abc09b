"""Algorithms that need no gradient."""

from garage_like.algos.meta_rl_algorithm import MetaRLAlgorithm as MetaRLAlgorithm
from garage_like.interfaces import RLAlgorithm as RLAlgorithm
from garage_like.np.algos.cem import CEM
from garage_like.np.algos.cma_es import CMAES
from garage_like.np.algos.parameter_search import ParameterSearch
from garage_like.np.algos.q_learning import QLearning
from garage_like.np.algos.sarsa import SARSA

__all__ = ["CEM", "CMAES", "SARSA", "ParameterSearch", "QLearning"]
