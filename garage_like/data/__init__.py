"""Data that moves between environments, samplers and algorithms, in NumPy alone.

Array shapes, wherever they are given in this project: N episodes, T env steps of the longest, S env
steps in all, A actions, `O*` the shape of an observation.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.data.batches import EpisodeBatch as EpisodeBatch
    from garage_like.data.batches import TimeStepBatch as TimeStepBatch
    from garage_like.data.env_spec import EnvSpec as EnvSpec
    from garage_like.data.env_step import EnvStep as EnvStep
    from garage_like.data.env_step import StepType as StepType
    from garage_like.data.table import Table as Table

__getattr__, __dir__, __all__ = lazy.names(__name__)
