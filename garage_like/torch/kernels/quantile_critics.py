"""The gradient step of TQC: SAC's, with Q-functions that give quantiles."""

from __future__ import annotations

import numpy as np
import torch

from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.kernels.compiled.quantile_loss import quantile_loss
from garage_like.torch.kernels.compiled.soft_step import SoftSteps
from garage_like.torch.kernels.off_policy import continues, mean
from garage_like.torch.kernels.soft_actor_critic import SACKernel
from garage_like.torch.q_functions.continuous_mlp_q_function import QuantileMLPQFunction
from garage_like.torch.quantiles import huber_loss_and_slopes


class TQCKernel(SACKernel):
    """Do what `SoftActorCritic._update` does for TQC's Q-functions."""

    _qf_class = QuantileMLPQFunction
    num_kept: int
    """Quantiles of all targets together that are left in, from the lowest on."""

    def _in_one_call(self) -> SoftSteps | None:
        return None

    def _update_critics(
        self, observations: np.ndarray, transitions: Transitions, alpha: float
    ) -> tuple[dict[str, float], np.ndarray]:
        following = self._rows(transitions["next_observation"])
        next_actions, next_log_probs = self._sample(following)
        inputs = np.concatenate((following, next_actions), axis=1)
        atoms = np.concatenate([qf.forward(inputs) for qf in self._target_qfs], axis=1)
        atoms.sort(axis=1)
        targets = atoms[:, : self.num_kept] - np.float32(alpha) * next_log_probs[:, None]
        targets *= (np.float32(self._parts.discount) * continues(transitions))[:, None]
        targets += self._rewards(transitions)[:, None]

        actions, weights = transitions["action"], transitions.get("weight")
        inputs = np.concatenate((observations, actions.reshape(len(actions), -1)), axis=1)
        quantiles = np.stack([qf.forward(inputs) for qf in self._qfs], axis=1)
        losses, slopes = self._loss(quantiles, targets)
        slopes *= np.float32(1.0 / len(actions))
        if weights is not None:
            losses, slopes = losses * weights, slopes * weights[:, None, None]
        for number, qf in enumerate(self._qfs):
            qf.backward(slopes[:, number])
        self._adams[1].step()
        values, goals = quantiles.mean(axis=(1, 2)), targets.mean(axis=1)
        metrics = {
            "Loss/Critic": mean(losses),
            "Q-network/Q1": mean(values),
            "Target/Mean": mean(goals),
        }
        return metrics, goals - values

    def _loss(self, quantiles: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss, shape (B,), and its gradient, shape (B, C, M)."""
        if self._parts.qf_optimizer.is_compiled:
            found = quantile_loss(quantiles, targets)
            if found is not None:
                return found
        tensors = huber_loss_and_slopes(torch.from_numpy(quantiles), torch.from_numpy(targets))
        return tensors[0].numpy(), tensors[1].numpy()

    def _values(
        self, observations: np.ndarray, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of all quantiles, shape (B,), and its gradient, shape (B, K)."""
        inputs = np.concatenate((observations, actions), axis=1)
        quantiles = [qf.forward(inputs) for qf in self._qfs]
        every = np.arange(len(actions))
        delta = np.full_like(quantiles[0], 1.0 / (len(quantiles) * quantiles[0].shape[1]))
        by_action = np.zeros((len(actions), self._num_actions), np.float32)
        for qf in self._qfs:
            by_action += qf.backward_to_inputs(delta, every, observations.shape[1])
        values: np.ndarray = np.stack(quantiles).mean(axis=(0, 2))
        return values, by_action
