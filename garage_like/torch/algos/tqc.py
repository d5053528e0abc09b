"""TQC: truncated quantile critics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos.minibatch import Minibatch
from garage_like.torch.algos.soft_actor_critic import COMPUTED, SoftActorCritic, SoftOptions
from garage_like.torch.algos.target_networks import target_of
from garage_like.torch.algos.torch_off_policy import weighted_mean
from garage_like.torch.kernels.off_policy import Kernel, is_unchanged
from garage_like.torch.kernels.quantile_critics import TQCKernel
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy
from garage_like.torch.q_functions.continuous_mlp_q_function import QuantileMLPQFunction
from garage_like.torch.quantiles import quantile_huber_loss


class TQC(SoftActorCritic):
    """Learn the distribution of returns, and leave the most hopeful part of it out of targets.

    Kuznetsov et al. 2020, arXiv:2005.04269.

    Args:
        qfs: Q-functions, each of as many quantiles; the paper has five.
        top_quantiles_to_drop_per_net: of the quantiles of all targets together, the largest so
            many times the number of Q-functions are left out.
        **options: arguments of SoftActorCritic (fixed_alpha, target_entropy, policy_lr, ...) and
            of OffPolicyAlgorithm (buffer_batch_size, discount, steps_per_epoch, ...).

    Raises:
        ValueError: if an argument is out of range, or no quantile would be left.
        TypeError: if an argument is of the wrong kind.
    """

    kernel_settings = (*SoftActorCritic.kernel_settings, "_num_kept")

    UPDATE_METRICS = tuple(
        name for name in SoftActorCritic.UPDATE_METRICS if name != "Q-network/Q2"
    )
    METRICS = {k: v for k, v in SoftActorCritic.METRICS.items() if k != "Q-network/Q2"}

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: TanhGaussianMLPPolicy,
        qfs: Sequence[QuantileMLPQFunction],
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        top_quantiles_to_drop_per_net: int = 2,
        **options: Unpack[SoftOptions],
    ) -> None:
        n_quantiles = {qf.n_quantiles for qf in qfs}
        if len(n_quantiles) != 1:
            raise ValueError(
                "TQC: qfs must be Q-functions of one number of quantiles each, and at least one; "
                f"got {list(qfs)!r}"
            )
        self._n_quantiles = n_quantiles.pop()
        if not 0 <= top_quantiles_to_drop_per_net < self._n_quantiles:
            raise ValueError(
                "TQC: top_quantiles_to_drop_per_net must be 0 or more and less than the "
                f"{self._n_quantiles} quantiles, got {top_quantiles_to_drop_per_net!r}"
            )
        self._qfs = nn.ModuleList(qfs)
        self._target_qfs = target_of(self._qfs)
        critics: list[tuple[nn.Module, nn.Module]] = [(self._target_qfs, self._qfs)]
        super().__init__(env_spec, policy, critics, replay_buffer, sampler, **options)
        self._num_kept = len(qfs) * (self._n_quantiles - top_quantiles_to_drop_per_net)

    def _update_critics(
        self, batch: Minibatch, alpha: torch.Tensor
    ) -> tuple[dict[str, float], np.ndarray]:
        with torch.no_grad():
            next_actions, next_log_probs = self._sample(batch.next_observations)
            atoms = torch.cat(
                [qf(batch.next_observations, next_actions) for qf in self._target_qfs], dim=1
            )
            kept = atoms.sort(dim=1)[0][:, : self._num_kept]
            soft = kept - (alpha * next_log_probs).unsqueeze(1)
            continues = (self._discount * batch.continues).unsqueeze(1)
            targets = batch.rewards.unsqueeze(1) + continues * soft

        quantiles = torch.stack([qf(batch.observations, batch.actions) for qf in self._qfs], dim=1)
        loss = weighted_mean(quantile_huber_loss(quantiles, targets), batch.weights)
        self._move("Critic", loss)

        values, goals = quantiles.detach().mean(dim=(1, 2)), targets.mean(dim=1)
        metrics = {
            "Loss/Critic": loss.item(),
            "Q-network/Q1": values.mean().item(),
            "Target/Mean": goals.mean().item(),
        }
        return metrics, (goals - values).cpu().numpy()

    def _values(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return torch.stack([qf(observations, actions) for qf in self._qfs]).mean(dim=(0, 2))

    def make_kernel(self) -> Kernel | None:
        """Return an analytic gradient step where all networks are plain perceptrons."""
        if not is_unchanged(self, TQC, *COMPUTED):
            return None
        kernel = TQCKernel.make(
            self._env_spec,
            self._reward_scale,
            self._rng,
            self._soft_parts(list(self._qfs), list(self._target_qfs)),
        )
        if isinstance(kernel, TQCKernel):
            kernel.num_kept = self._num_kept
        return kernel
