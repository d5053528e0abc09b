"""Trains an algorithm epoch by epoch, snapshots it, restores and resumes it.

`trainer` is what users call, `handle` what an algorithm sees of it, `session` what one start of the
process does for a run: snapshots, labels, the log. Names are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.errors import NotSetupError as NotSetupError
    from garage_like.tf.tf_trainer import TFTrainer as TFTrainer
    from garage_like.trainer.trainer import Trainer as Trainer

__getattr__, __dir__, __all__ = lazy.names(__name__)
