"""DiscreteSAC: soft actor-critic for finitely many actions."""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np
import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos.minibatch import Minibatch
from garage_like.torch.algos.soft_actor_critic import SoftActorCritic, SoftOptions
from garage_like.torch.algos.target_networks import target_of
from garage_like.torch.algos.torch_off_policy import weighted_mean
from garage_like.torch.policies.stochastic_policy import StochasticPolicy

_SHARE = 0.3  # of the entropy of a policy that does not care what it does


class DiscreteSAC(SoftActorCritic):
    """Earn reward while acting as randomly as possible; weigh all actions instead of drawing one.

    Christodoulou 2019, arXiv:1910.07207, with a learned temperature, or a fixed one. Differs from
    the paper: the temperature holds the entropy at three tenths of what it can be at most, where
    0.98 leave a policy that hardly chooses.

    Args:
        env_spec: of the environment that the policy acts in; its action space is Discrete.
        policy: what is trained; gives a distribution with `logits`, as CategoricalMLPPolicy does.
        qf1: values observations, shape (N, D), as shape (N, K), as DiscreteMLPQFunction does.
        qf2: another one.
        target_entropy: what a learned temperature holds the policy's entropy at, in nats; None for
            0.3 log K.
        **options: arguments of SoftActorCritic (fixed_alpha, policy_lr, ...) and of
            OffPolicyAlgorithm (buffer_batch_size, discount, steps_per_epoch, ...).

    Raises:
        ValueError: if an argument is out of range, or actions are not finitely many.
        TypeError: if an argument is of the wrong kind.
    """

    policy: StochasticPolicy

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        qf1: nn.Module,
        qf2: nn.Module,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        **options: Unpack[SoftOptions],
    ) -> None:
        if not env_spec.is_discrete:
            raise ValueError(
                f"DiscreteSAC needs a Discrete action space, got {env_spec.action_space!r}; for a"
                " Box there is SAC"
            )
        self._qf1, self._qf2 = qf1, qf2
        self._target_qf1, self._target_qf2 = target_of(qf1), target_of(qf2)
        critics = [(self._target_qf1, qf1), (self._target_qf2, qf2)]
        super().__init__(env_spec, policy, critics, replay_buffer, sampler, **options)

    def _default_target_entropy(self) -> float:
        """Return a part of what the entropy can be at most."""
        return _SHARE * math.log(self._env_spec.action_dim)

    def _update_critics(
        self, batch: Minibatch, alpha: torch.Tensor
    ) -> tuple[dict[str, float], np.ndarray]:
        with torch.no_grad():
            log_probs = self._log_probs(batch.next_observations)
            next_values = torch.minimum(
                self._target_qf1(batch.next_observations), self._target_qf2(batch.next_observations)
            )
            # V(s') = sum over a of pi(a | s') (Q(s', a) - alpha log pi(a | s')), equation 10.
            soft_values = (log_probs.exp() * (next_values - alpha * log_probs)).sum(dim=1)
            targets = batch.rewards + self._discount * batch.continues * soft_values

        taken = batch.actions.unsqueeze(1)
        values1 = self._qf1(batch.observations).gather(1, taken).squeeze(1)
        values2 = self._qf2(batch.observations).gather(1, taken).squeeze(1)
        squares = 0.5 * ((targets - values1).square() + (targets - values2).square())
        loss = weighted_mean(squares, batch.weights)
        self._move("Critic", loss)
        metrics = {
            "Loss/Critic": loss.item(),
            "Q-network/Q1": values1.detach().mean().item(),
            "Q-network/Q2": values2.detach().mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        return metrics, squares.detach().sqrt().cpu().numpy()

    def _act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return minus the entropy, and the mean value by the policy, both of shape (B,)."""
        log_probs = self._log_probs(observations)
        with torch.no_grad():
            values = torch.minimum(self._qf1(observations), self._qf2(observations))
        probs = log_probs.exp()
        return (probs * log_probs).sum(dim=1), (probs * values).sum(dim=1)

    def _log_probs(self, observations: torch.Tensor) -> torch.Tensor:
        """Return log pi(a | s), shape (B, K)."""
        distribution = self.policy(observations)[0]
        return torch.log_softmax(distribution.logits, dim=1)
