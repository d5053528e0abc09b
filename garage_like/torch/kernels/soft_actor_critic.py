"""The gradient step of SAC in NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.kernels.compiled.dense import dense
from garage_like.torch.kernels.compiled.soft_step import Minibatch, SoftSteps
from garage_like.torch.kernels.dense import is_plain
from garage_like.torch.kernels.off_policy import Kernel, continues, flat_forms, mean
from garage_like.torch.kernels.tanh_gaussian import TanhGaussianHead
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy
from garage_like.torch.q_functions.continuous_mlp_q_function import ContinuousMLPQFunction

if TYPE_CHECKING:
    from garage_like.interfaces import Metrics
    from garage_like.torch.algos.target_networks import TargetNetworks
    from garage_like.torch.optimizers.flat_adam import FlatAdam
    from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper


class SoftParts(NamedTuple):
    """What SAC's update works on."""

    policy: nn.Module
    qfs: Sequence[nn.Module]
    target_qfs: Sequence[nn.Module]
    log_alpha: torch.Tensor
    policy_optimizer: OptimizerWrapper
    qf_optimizer: OptimizerWrapper
    alpha_optimizer: OptimizerWrapper | None
    targets: TargetNetworks
    tau: float
    discount: float
    target_entropy: float


class SACKernel(Kernel):
    """Do what `SoftActorCritic._update` does for SAC's two Q-functions."""

    _qf_class: type[nn.Module] = ContinuousMLPQFunction

    @classmethod
    def make(
        cls, env_spec: EnvSpec, reward_scale: float, rng: np.random.Generator, parts: SoftParts
    ) -> SACKernel | None:
        """Return a kernel, or None if autograd must.

        Args:
            env_spec: of the environment.
            reward_scale: factor for rewards.
            rng: what noise is drawn from.
            parts: what the update works on.
        """
        if not _are_plain(parts, cls._qf_class):
            return None
        learned = [] if parts.alpha_optimizer is None else [parts.alpha_optimizer]
        forms = flat_forms(parts.policy_optimizer, parts.qf_optimizer, *learned)
        if forms is None:
            return None
        of_policy, of_qfs = forms[0][1], forms[1][1]
        critics = [p for qf in parts.qfs for p in qf.parameters()]
        if not of_policy.moves(parts.policy.parameters()) or not of_qfs.moves(critics):
            return None
        kernel = cls(env_spec, reward_scale, forms)
        kernel._build(rng, parts, [flat for _, flat in forms])
        return kernel

    def _build(self, rng: np.random.Generator, parts: SoftParts, adams: list[FlatAdam]) -> None:
        self._rng, self._parts, self._adams = rng, parts, adams
        policy: Any = parts.policy
        self._num_actions = len(policy.action_scale)
        compiled = parts.qf_optimizer.is_compiled
        self._policy = dense(policy.mlp, adams[0].gradient_of, compiled)
        self._head = TanhGaussianHead(policy)
        qfs: Any = parts.qfs
        target_qfs: Any = parts.target_qfs
        self._qfs = [dense(qf.mlp, adams[1].gradient_of, compiled) for qf in qfs]
        self._target_qfs = [dense(qf.mlp, None, compiled) for qf in target_qfs]
        self._log_alpha = parts.log_alpha.detach().numpy()
        self._whole = self._in_one_call() if compiled else None

    def _in_one_call(self) -> SoftSteps | None:
        """Return what moves Q-functions and policy in one call; None if nothing does."""
        return SoftSteps.make(
            self._policy,
            self._head,
            self._qfs,
            self._target_qfs,
            self._adams[:2],
            self._parts.discount,
            float(self._reward_scale),
        )

    def update(self, algo: Any, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        alpha = math.exp(float(self._log_alpha[0]))
        step = self._move if self._whole is None else self._move_at_once
        metrics, entropy, errors = step(transitions, alpha)
        if self._parts.alpha_optimizer is not None:
            excess = entropy - self._parts.target_entropy
            metrics["Loss/Entropy"] = float(self._log_alpha[0]) * excess
            self._adams[2].gradient.fill_(excess)
            self._adams[2].step()
        self._parts.targets.update(self._parts.tau)
        metrics["Coefficient/Entropy"] = alpha
        metrics["policy/Entropy"] = entropy
        return metrics, errors

    def _move_at_once(
        self, transitions: Transitions, alpha: float
    ) -> tuple[dict[str, float], float, np.ndarray]:
        """Move Q-functions and policy; return metrics, the entropy, and errors, shape (B,)."""
        assert self._whole is not None
        actions = transitions["action"]
        next_noise, noise = (self._noise(len(actions)) for _ in range(2))
        minibatch = Minibatch(
            self._rows(transitions["observation"]),
            self._rows(transitions["next_observation"]),
            actions.reshape(len(actions), -1),
            noise,
            next_noise,
            transitions["reward"],
            continues(transitions),
            transitions.get("weight"),
        )
        found, errors = self._whole.take(minibatch, alpha)
        metrics = {
            "Loss/Critic": found.critic_loss,
            "Q-network/Q1": found.first_value,
            "Q-network/Q2": found.second_value,
            "Target/Mean": found.target,
            "Loss/Policy": alpha * found.log_prob - found.least_value,
        }
        return metrics, -found.log_prob, errors

    def _move(
        self, transitions: Transitions, alpha: float
    ) -> tuple[dict[str, float], float, np.ndarray]:
        """Do what `_move_at_once` does."""
        observations = self._rows(transitions["observation"])
        metrics, errors = self._update_critics(observations, transitions, alpha)
        actions, log_probs = self._sample(observations)
        count = len(actions)
        values, by_action = self._values(observations, actions)
        metrics["Loss/Policy"] = alpha * mean(log_probs) - mean(values)
        self._policy.backward(self._head.delta(alpha / count, by_action / np.float32(count)))
        self._adams[0].step()
        return metrics, -mean(log_probs), errors

    def _update_critics(
        self, observations: np.ndarray, transitions: Transitions, alpha: float
    ) -> tuple[dict[str, float], np.ndarray]:
        """Move the Q-functions; return their metrics, and errors, shape (B,)."""
        following = self._rows(transitions["next_observation"])
        next_actions, next_log_probs = self._sample(following)
        inputs = np.concatenate((following, next_actions), axis=1)
        first, second = (qf.forward(inputs)[:, 0] for qf in self._target_qfs)
        targets = np.minimum(first, second)
        targets -= np.float32(alpha) * next_log_probs
        targets *= np.float32(self._parts.discount)
        targets *= continues(transitions)
        targets += self._rewards(transitions)

        actions, weights = transitions["action"], transitions.get("weight")
        inputs = np.concatenate((observations, actions.reshape(len(actions), -1)), axis=1)
        squares = np.zeros(len(actions), np.float32)
        means = []
        for qf in self._qfs:
            values = qf.forward(inputs)[:, 0]
            means.append(mean(values))
            differences = values - targets
            squares += differences * differences
            differences *= np.float32(1.0 / len(actions))
            if weights is not None:
                differences *= weights
            qf.backward(differences[:, None])
        self._adams[1].step()
        squares *= np.float32(0.5)
        metrics = {
            "Loss/Critic": mean(squares if weights is None else squares * weights),
            "Q-network/Q1": means[0],
            "Q-network/Q2": means[1],
            "Target/Mean": mean(targets),
        }
        return metrics, np.sqrt(squares)

    def _sample(self, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw actions, shape (B, K), with their log-densities, shape (B,)."""
        noise = self._noise(len(observations))
        return self._head.sample(self._policy.forward(observations), noise)

    def _noise(self, rows: int) -> np.ndarray:
        return self._rng.standard_normal((rows, self._num_actions), np.float32)

    def _values(
        self, observations: np.ndarray, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return min(Q1, Q2), shape (B,), and its gradient by the actions, shape (B, K)."""
        inputs = np.concatenate((observations, actions), axis=1)
        first, second = (qf.forward(inputs)[:, 0] for qf in self._qfs)
        # The gradient goes back through the lesser of the two alone: half the rows for each.
        is_first = first <= second
        by_action = np.empty((len(actions), self._num_actions), np.float32)
        for qf, which in zip(self._qfs, (is_first, ~is_first), strict=True):
            rows = np.flatnonzero(which)
            delta = np.ones((len(rows), 1), np.float32)
            by_action[rows] = qf.backward_to_inputs(delta, rows, observations.shape[1])
        return np.minimum(first, second), by_action


def _are_plain(parts: SoftParts, qf_class: type[nn.Module]) -> bool:
    modules = (parts.policy, *parts.qfs, *parts.target_qfs)
    if type(parts.policy) is not TanhGaussianMLPPolicy or len(parts.log_alpha) != 1:
        return False
    if any(type(module) is not qf_class for module in modules[1:]):
        return False
    return all("forward" not in vars(m) and is_plain(m, m.mlp) for m in modules)  # type: ignore[arg-type]
