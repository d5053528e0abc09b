"""Samplers: they collect env steps with the current policy, by means of workers."""

from garage_like.interfaces import Sampler
from garage_like.sampler.default_worker import DefaultWorker
from garage_like.sampler.env_update import (
    EnvUpdate,
    ExistingEnvUpdate,
    NewEnvUpdate,
    SetTaskUpdate,
)
from garage_like.sampler.env_update import apply_env_update as _apply_env_update  # garage's name
from garage_like.sampler.fragment_worker import FragmentWorker
from garage_like.sampler.local_sampler import LocalSampler
from garage_like.sampler.parallel_sampler import MultiprocessingSampler, RaySampler
from garage_like.sampler.rl2_worker import RL2Worker
from garage_like.sampler.vec_worker import VecWorker
from garage_like.sampler.vector_worker import VectorWorker
from garage_like.sampler.worker import Worker
from garage_like.sampler.worker_factory import WorkerFactory

__all__ = [
    "Sampler",
    "DefaultWorker",
    "EnvUpdate",
    "ExistingEnvUpdate",
    "FragmentWorker",
    "LocalSampler",
    "MultiprocessingSampler",
    "NewEnvUpdate",
    "RL2Worker",
    "RaySampler",
    "SetTaskUpdate",
    "VecWorker",
    "VectorWorker",
    "Worker",
    "WorkerFactory",
    "_apply_env_update",
]
