"""Run reinforcement-learning experiments that can be killed anywhere and resumed bit for bit.

The names below are loaded when they are first used, so `import garage_like` is quick and loads no
framework: neither torch, TensorFlow nor dowel.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.data.batches import EnvStep as EnvStep
    from garage_like.data.batches import EpisodeBatch as EpisodeBatch
    from garage_like.data.batches import StepType as StepType
    from garage_like.data.batches import TimeStepBatch as TimeStepBatch
    from garage_like.data.env_spec import EnvSpec as EnvSpec
    from garage_like.data.env_spec import InOutSpec as InOutSpec
    from garage_like.data.time_step import TimeStep as TimeStep
    from garage_like.envs.wrapper import Wrapper as Wrapper
    from garage_like.evaluation import log_multitask_performance as log_multitask_performance
    from garage_like.evaluation import log_performance as log_performance
    from garage_like.evaluation import obtain_evaluation_episodes as obtain_evaluation_episodes
    from garage_like.evaluation import rollout as rollout
    from garage_like.experiment.decorator import wrap_experiment as wrap_experiment
    from garage_like.interfaces import Environment as Environment
    from garage_like.loading.objects import load_algo as load_algo
    from garage_like.loading.objects import load_env as load_env
    from garage_like.loading.objects import load_policy as load_policy
    from garage_like.loading.weights import load_weights as load_weights
    from garage_like.tf.tf_trainer import TFTrainer as TFTrainer
    from garage_like.torch.functions import _Default as _Default
    from garage_like.torch.functions import make_optimizer as make_optimizer
    from garage_like.trainer.epochs import epochs as epochs
    from garage_like.trainer.trainer import Trainer as Trainer

__version__ = "0.2.0"

lazy.find_moved_modules()
__getattr__, __dir__, __all__ = lazy.names(__name__)
