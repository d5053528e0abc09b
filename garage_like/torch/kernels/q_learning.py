"""The gradient step of DQN: in C, or in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.np.compiled.binding import shape_of, steps
from garage_like.np.compiled.q_step import QSteps
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.kernels.compiled.dense import dense
from garage_like.torch.kernels.compiled.moved import optimizer_of, place_of
from garage_like.torch.kernels.dense import Dense, is_plain
from garage_like.torch.kernels.off_policy import Kernel, continues, flat_forms, mean
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.q_functions.discrete_mlp_q_function import DiscreteMLPQFunction

if TYPE_CHECKING:
    from garage_like.interfaces import Metrics


class QLearningOptions(NamedTuple):
    """Those of DQN's arguments that its loss depends on."""

    discount: float
    double_q: bool
    clip_rewards: float | None
    clip_gradient: float | None


class QLearningKernel(Kernel):
    """Do what `DQN._update` does."""

    @classmethod
    def make(
        cls,
        env_spec: EnvSpec,
        reward_scale: float,
        qf: Any,
        target_qf: Any,
        optimizer: OptimizerWrapper,
        options: QLearningOptions,
    ) -> QLearningKernel | None:
        """Return a kernel, or None if autograd must.

        Args:
            env_spec: of the environment.
            reward_scale: factor for rewards.
            qf: what is trained.
            target_qf: what gives the targets.
            optimizer: moves `qf`.
            options: of the loss.
        """
        for function in (qf, target_qf):
            if type(function) is not DiscreteMLPQFunction or "forward" in vars(function):
                return None
        forms = flat_forms(optimizer)
        if forms is None or not forms[0][1].moves(qf.parameters()):
            return None
        if not (is_plain(qf, qf.mlp) and is_plain(target_qf, target_qf.mlp)):
            return None
        kernel = cls(env_spec, reward_scale, forms)
        kernel._adam = forms[0][1]
        kernel._gradient = kernel._adam.gradient.numpy()
        kernel._qf = dense(qf.mlp, kernel._adam.gradient_of, optimizer.is_compiled)
        kernel._target_qf = dense(target_qf.mlp, None, optimizer.is_compiled)
        kernel._is_dueling = qf.is_dueling
        kernel._options = options
        if optimizer.takes_q_steps and not qf.is_dueling:
            kernel._whole = kernel._whole_steps()
        return kernel

    _adam: Any
    _gradient: np.ndarray
    _qf: Dense
    _target_qf: Dense
    _is_dueling: bool
    _options: QLearningOptions
    _whole: QSteps | None = None

    def _whole_steps(self) -> QSteps | None:
        """Return what takes a step in one call; None if NumPy and the library's passes must."""
        options, qf, target = self._options, self._qf, self._target_qf
        shape, place = shape_of(qf.widths, qf.is_tanh), place_of(qf, self._adam)
        alike = qf.widths == target.widths and qf.is_tanh == target.is_tanh
        if shape is None or place is None or not alike or not target.is_in_a_row:
            return None
        if steps() is None or optimizer_of(self._adam) is None:
            return None
        discount, double_q, clip = options.discount, options.double_q, options.clip_gradient
        return QSteps(shape, place, target.addresses[0][0], discount, double_q, clip)

    def update(self, algo: Any, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        if self._whole is not None:
            optimizer = optimizer_of(self._adam)
            assert optimizer is not None, "it was asked when this was made"
            (loss, value, target), errors = self._whole.take(
                optimizer,
                self._rows(transitions["observation"]),
                self._rows(transitions["next_observation"]),
                transitions["action"],
                self._clipped_rewards(transitions),
                continues(transitions),
                transitions.get("weight"),
            )
            self._adam.step_counts += 1.0
            return {"Loss/Critic": loss, "Q-network/Q1": value, "Target/Mean": target}, errors
        targets = self._targets(transitions)
        actions, weights = transitions["action"], transitions.get("weight")
        rows, count = np.arange(len(actions)), len(actions)
        outputs = self._qf.forward(self._rows(transitions["observation"]))
        values = self._values(outputs)[rows, actions]
        errors = targets - values

        # Smooth L1: e^2 / 2 within 1 of the target, |e| - 1/2 beyond.
        slopes = np.minimum(np.maximum(errors, -1.0), 1.0)
        losses = slopes * (errors - 0.5 * slopes)
        by_value = slopes * np.float32(-1.0 / count)
        if weights is not None:
            losses *= weights
            by_value *= weights
        delta = np.zeros((count, outputs.shape[1] - self._is_dueling), np.float32)
        delta[rows, actions] = by_value
        self._qf.backward(_dueling_delta(delta) if self._is_dueling else delta)
        self._clip()
        self._adam.step()
        metrics = {
            "Loss/Critic": mean(losses),
            "Q-network/Q1": mean(values),
            "Target/Mean": mean(targets),
        }
        return metrics, errors

    def _targets(self, transitions: Transitions) -> np.ndarray:
        """Compute r + discount * Q_target(s', best), shape (B,)."""
        options, following = self._options, self._rows(transitions["next_observation"])
        values = self._values(self._target_qf.forward(following))
        if options.double_q:
            best = self._values(self._qf.forward(following)).argmax(axis=1)
            next_values = values[np.arange(len(best)), best]
        else:
            next_values = np.maximum.reduce(values, axis=1)
        next_values = next_values * np.float32(options.discount)
        next_values *= continues(transitions)
        next_values += self._clipped_rewards(transitions)
        return next_values

    def _clipped_rewards(self, transitions: Transitions) -> np.ndarray:
        rewards, most = self._rewards(transitions), self._options.clip_rewards
        return rewards if most is None else np.clip(rewards, -most, most)

    def _values(self, outputs: np.ndarray) -> np.ndarray:
        """Return values of all actions, shape (B, K)."""
        if not self._is_dueling:
            return outputs
        advantages = outputs[:, 1:]
        combined: np.ndarray = outputs[:, :1] + advantages
        combined -= advantages.mean(axis=1, keepdims=True)
        return combined

    def _clip(self) -> None:
        """Cut the gradient to a norm, as `torch.nn.utils.clip_grad_norm_` does."""
        limit, gradient = self._options.clip_gradient, self._gradient
        if limit is not None:
            norm = float(np.sqrt(gradient.dot(gradient)))
            if norm + 1e-6 > limit:
                gradient *= np.float32(limit / (norm + 1e-6))


def _dueling_delta(delta: np.ndarray) -> np.ndarray:
    """Turn the gradient by values, shape (B, K), into that by V and A, shape (B, 1 + K)."""
    total = delta.sum(axis=1, keepdims=True)
    return np.concatenate((total, delta - total / np.float32(delta.shape[1])), axis=1)
