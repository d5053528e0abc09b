"""Run reinforcement-learning experiments that can be killed anywhere and resumed bit for bit.

The names below are loaded when they are first used, so `import garage_like` is quick and loads no
framework: neither torch, TensorFlow nor dowel.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.batches import EnvStep, EpisodeBatch, StepType, TimeStepBatch
    from garage_like.env_spec import EnvSpec
    from garage_like.evaluation import log_performance, obtain_evaluation_episodes, rollout
    from garage_like.experiment.decorator import wrap_experiment
    from garage_like.interfaces import Environment
    from garage_like.loading.objects import load_algo, load_policy
    from garage_like.loading.weights import load_weights
    from garage_like.tf.tf_trainer import TFTrainer
    from garage_like.trainer import Trainer

__version__ = "0.1.0.dev0"

_HOMES = {
    "EnvSpec": "garage_like.env_spec",
    "EnvStep": "garage_like.batches",
    "Environment": "garage_like.interfaces",
    "EpisodeBatch": "garage_like.batches",
    "StepType": "garage_like.batches",
    "TFTrainer": "garage_like.tf.tf_trainer",
    "TimeStepBatch": "garage_like.batches",
    "Trainer": "garage_like.trainer",
    "load_algo": "garage_like.loading.objects",
    "load_policy": "garage_like.loading.objects",
    "load_weights": "garage_like.loading.weights",
    "log_performance": "garage_like.evaluation",
    "obtain_evaluation_episodes": "garage_like.evaluation",
    "rollout": "garage_like.evaluation",
    "wrap_experiment": "garage_like.experiment.decorator",
}

__all__ = [
    "EnvSpec",
    "EnvStep",
    "Environment",
    "EpisodeBatch",
    "StepType",
    "TFTrainer",
    "TimeStepBatch",
    "Trainer",
    "load_algo",
    "load_policy",
    "load_weights",
    "log_performance",
    "obtain_evaluation_episodes",
    "rollout",
    "wrap_experiment",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
