"""Tuned settings: an algorithm on an environment by their names, from a file of numbers.

Names are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.tuned.agents import load_agent as load_agent
    from garage_like.tuned.agents import save_agent as save_agent
    from garage_like.tuned.settings import Settings as Settings
    from garage_like.tuned.settings import available as available
    from garage_like.tuned.training import train as train

__getattr__, __dir__, __all__ = lazy.names(__name__)
