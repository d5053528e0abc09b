"""A decorated function becomes a run: its directory, its logs, its snapshots.

Names are loaded when they are first used, so importing this package loads no framework.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.experiment import deterministic as deterministic
    from garage_like.experiment.context import ExperimentContext as ExperimentContext
    from garage_like.experiment.decorator import wrap_experiment as wrap_experiment
    from garage_like.experiment.task_sampler import ConstructEnvsSampler as ConstructEnvsSampler
    from garage_like.experiment.task_sampler import EnvPoolSampler as EnvPoolSampler
    from garage_like.experiment.task_sampler import MetaWorldTaskSampler as MetaWorldTaskSampler
    from garage_like.experiment.task_sampler import SetTaskSampler as SetTaskSampler
    from garage_like.experiment.task_sampler import TaskSampler as TaskSampler
    from garage_like.sampler.meta_evaluator import MetaEvaluator as MetaEvaluator
    from garage_like.snapshot.config import SnapshotConfig as SnapshotConfig
    from garage_like.snapshot.snapshotter import Snapshotter as Snapshotter
    from garage_like.tf.tf_trainer import TFTrainer as TFTrainer
    from garage_like.trainer.trainer import Trainer as Trainer

__getattr__, __dir__, __all__ = lazy.names(__name__)
