"""Callbacks: what a trainer calls after each epoch; their state is in the run's snapshots.

    trainer.setup(algo, env, callbacks=[StopTrainingOnRewardThreshold(450)])

Names are those of Stable-Baselines3 where they mean the same. Names are loaded when they are first
used.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.callbacks.callback import Callback as Callback
    from garage_like.callbacks.callback import EndedEpoch as EndedEpoch
    from garage_like.callbacks.evaluating import EvalCallback as EvalCallback
    from garage_like.callbacks.saving import SaveCallback as SaveCallback
    from garage_like.callbacks.stopping import (
        StopTrainingOnNoModelImprovement as StopTrainingOnNoModelImprovement,
    )
    from garage_like.callbacks.stopping import (
        StopTrainingOnRewardThreshold as StopTrainingOnRewardThreshold,
    )

__getattr__, __dir__, __all__ = lazy.names(__name__)
