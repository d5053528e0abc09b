"""MTSAC: soft actor-critic on several tasks."""

from __future__ import annotations

from typing import Unpack

import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos.sac import SAC
from garage_like.torch.algos.soft_actor_critic import SoftOptions
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy


class MTSAC(SAC):
    """Learn several tasks with one policy, and a temperature for each of them.

    Yu et al. 2020, arXiv:1910.10897. The last `num_tasks` numbers of an observation say which task
    it is, as a one-hot vector. Collect with one worker for each task: `LocalSampler(policy, envs,
    n_workers=num_tasks)`, and evaluate in all: `eval_env=envs`.

    Args:
        env_spec: of any of the environments.
        sampler: where the trainer gets transitions of all tasks.
        num_tasks: how many there are.
        **options: arguments of SoftActorCritic and OffPolicyAlgorithm; a fixed_alpha is that of
            all tasks.

    Raises:
        ValueError: if an argument is out of range, or observations have no room for the tasks.
        TypeError: if an argument is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: TanhGaussianMLPPolicy,
        qf1: nn.Module,
        qf2: nn.Module,
        replay_buffer: PathBuffer,
        sampler: Sampler,
        *,
        num_tasks: int,
        **options: Unpack[SoftOptions],
    ) -> None:
        if not 1 <= num_tasks < env_spec.observation_dim:
            raise ValueError(
                "MTSAC: num_tasks must be at least 1, and the last num_tasks numbers of an "
                f"observation must say which task it is; got {num_tasks!r} tasks and observations "
                f"of {env_spec.observation_dim} numbers"
            )
        self._num_tasks = num_tasks
        super().__init__(env_spec, policy, qf1, qf2, replay_buffer, sampler, **options)

    def _num_temperatures(self) -> int:
        return self._num_tasks

    def _log_alpha(self, observations: torch.Tensor) -> torch.Tensor:
        log_alpha: torch.Tensor = self._temperature(observations[:, -self._num_tasks :].argmax(1))
        return log_alpha
