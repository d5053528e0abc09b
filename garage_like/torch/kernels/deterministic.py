"""The gradient steps of DDPG and TD3 in NumPy, or in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.kernels.compiled.dense import dense
from garage_like.torch.kernels.dense import Dense, is_plain
from garage_like.torch.kernels.off_policy import Kernel, continues, flat_forms, mean
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.deterministic_mlp_policy import (
    BoundedPolicy,
    DeterministicMLPPolicy,
)
from garage_like.torch.q_functions.continuous_mlp_q_function import ContinuousMLPQFunction

if TYPE_CHECKING:
    from garage_like.interfaces import Metrics
    from garage_like.torch.algos.target_networks import TargetNetworks
    from garage_like.torch.optimizers.flat_adam import FlatAdam


class DeterministicParts(NamedTuple):
    """What the update of DDPG or TD3 works on.

    Attributes:
        policy: what is trained.
        target_policy: acts in targets.
        qfs: one Q-function, or two.
        target_qfs: as many.
        policy_optimizer: moves the policy.
        qf_optimizer: moves all Q-functions.
        targets: move the targets.
        tau: how far.
        discount: factor for one env step.
        target_range: bounds of targets.
        noise: standard deviation of noise on target actions, in half widths.
        noise_clip: what it is clipped to, in the same unit.
    """

    policy: BoundedPolicy
    target_policy: BoundedPolicy
    qfs: Sequence[nn.Module]
    target_qfs: Sequence[nn.Module]
    policy_optimizer: OptimizerWrapper
    qf_optimizer: OptimizerWrapper
    targets: TargetNetworks
    tau: float
    discount: float
    target_range: tuple[float, float] = (-np.inf, np.inf)
    noise: float = 0.0
    noise_clip: float = 0.0


class DeterministicKernel(Kernel):
    """Do what `DDPG._update` and `TD3._update` do."""

    _parts: DeterministicParts
    _adams: tuple[FlatAdam, FlatAdam]
    _policy: Dense
    _target_policy: Dense
    _qfs: list[Dense]
    _target_qfs: list[Dense]
    _centre: np.ndarray
    _scale: np.ndarray

    @classmethod
    def make(
        cls, env_spec: EnvSpec, reward_scale: float, parts: DeterministicParts
    ) -> DeterministicKernel | None:
        """Return a kernel, or None if autograd must.

        Args:
            env_spec: of the environment.
            reward_scale: factor for rewards.
            parts: what the update works on.
        """
        if not _are_plain(parts):
            return None
        forms = flat_forms(parts.policy_optimizer, parts.qf_optimizer)
        if forms is None:
            return None
        (_, of_policy), (_, of_qfs) = forms
        critics = [p for qf in parts.qfs for p in qf.parameters()]
        if not of_policy.moves(parts.policy.parameters()) or not of_qfs.moves(critics):
            return None
        kernel = cls(env_spec, reward_scale, forms)
        compiled = all(wrapper.is_compiled for wrapper, _ in forms)
        kernel._parts, kernel._adams = parts, (of_policy, of_qfs)
        policy: Any = parts.policy
        target_policy: Any = parts.target_policy
        kernel._policy = dense(policy.mlp, of_policy.gradient_of, compiled)
        kernel._target_policy = dense(target_policy.mlp, None, compiled)
        qfs: Any = parts.qfs
        target_qfs: Any = parts.target_qfs
        kernel._qfs = [dense(qf.mlp, of_qfs.gradient_of, compiled) for qf in qfs]
        kernel._target_qfs = [dense(qf.mlp, None, compiled) for qf in target_qfs]
        kernel._centre = parts.policy.action_centre.numpy()
        kernel._scale = parts.policy.action_scale.numpy()
        return kernel

    def update(self, algo: Any, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        observations = self._rows(transitions["observation"])
        targets = self._targets(algo, transitions)
        actions = transitions["action"]
        inputs = np.concatenate((observations, actions.reshape(len(actions), -1)), axis=1)
        weights = transitions.get("weight")
        squares = np.zeros(len(targets), np.float32)
        metrics = {}
        for number, qf in enumerate(self._qfs, 1):
            values = qf.forward(inputs)[:, 0]
            metrics[f"Q-network/Q{number}"] = mean(values)
            differences = values - targets
            squares += differences * differences
            errors = -differences
            differences *= np.float32(2.0 / len(targets))
            qf.backward((differences if weights is None else differences * weights)[:, None])
        self._adams[1].step()
        metrics["Loss/Critic"] = mean(squares if weights is None else squares * weights)
        metrics["Target/Mean"] = mean(targets)
        if getattr(algo, "_moves_policy", True):
            metrics["Loss/Policy"] = self._move_policy(observations)
            self._parts.targets.update(self._parts.tau)
        return metrics, errors if len(self._qfs) == 1 else np.sqrt(0.5 * squares)

    def _targets(self, algo: Any, transitions: Transitions) -> np.ndarray:
        """Compute r + discount * min Q_target(s', a'), shape (B,), within bounds."""
        parts, following = self._parts, self._rows(transitions["next_observation"])
        actions = np.tanh(self._target_policy.forward(following)) * self._scale + self._centre
        if len(self._qfs) == 2:
            noise = algo._noise(len(actions)) * np.float32(parts.noise)
            np.clip(noise, -parts.noise_clip, parts.noise_clip, out=noise)
            low, high = self._centre - self._scale, self._centre + self._scale
            actions = np.minimum(np.maximum(actions + noise * self._scale, low), high)
        inputs = np.concatenate((following, actions), axis=1)
        values = np.minimum.reduce([qf.forward(inputs)[:, 0] for qf in self._target_qfs])
        values = values * np.float32(parts.discount) * continues(transitions)
        values += self._rewards(transitions)
        lowest, highest = parts.target_range
        clipped: np.ndarray = np.clip(values, np.float32(lowest), np.float32(highest))
        return clipped

    def _move_policy(self, observations: np.ndarray) -> float:
        """Take a step up the first Q-function; return the loss before it."""
        count = len(observations)
        squashed = np.tanh(self._policy.forward(observations))
        actions = squashed * self._scale + self._centre
        qf = self._qfs[0]
        loss = -mean(qf.forward(np.concatenate((observations, actions), axis=1))[:, 0])
        delta = np.full((count, 1), -1.0 / count, np.float32)
        by_action = qf.backward_to_inputs(delta, np.arange(count), observations.shape[1])
        self._policy.backward(by_action * self._scale * (1.0 - squashed * squashed))
        self._adams[0].step()
        return loss


def _are_plain(parts: DeterministicParts) -> bool:
    policies: Sequence[Any] = (parts.policy, parts.target_policy)
    qfs = (*parts.qfs, *parts.target_qfs)
    if any(type(policy) is not DeterministicMLPPolicy for policy in policies):
        return False
    if any(type(qf) is not ContinuousMLPQFunction for qf in qfs):
        return False
    if any("forward" in vars(module) for module in (*policies, *qfs)):
        return False
    return all(is_plain(policy, policy.mlp, output=nn.Tanh) for policy in policies) and all(
        is_plain(qf, qf.mlp)  # type: ignore[arg-type]
        for qf in qfs
    )
