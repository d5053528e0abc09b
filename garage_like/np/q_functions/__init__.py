"""Q-functions in NumPy: what actions are worth."""

from garage_like.np.q_functions.tabular_q_function import TabularQFunction

__all__ = ["TabularQFunction"]
