"""TFOffPolicyAlgorithm: what off-policy algorithms in TensorFlow have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from garage_like.algos.off_policy import OffPolicyAlgorithm
from garage_like.interfaces import RunHandle
from garage_like.np.compiled.binding import is_in_use
from garage_like.replay_buffer.transitions import Transitions
from garage_like.sampler import LocalSampler
from garage_like.tf.algos.minibatch import Minibatch, make_minibatch
from garage_like.tf.algos.target_networks import Networks, TargetNetworks, target_of
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.described import of_today
from garage_like.tf.policies.policy import Policy
from garage_like.tf.quiet_import import tf


class TFOffPolicyAlgorithm(OffPolicyAlgorithm):
    """Turn transitions into tensors, and take gradient steps."""

    policy: Policy

    _default_optimizer = Adam
    _is_compiled = False  # of snapshots from before there was anything in C
    _kernel: Any = None  # outside of an epoch

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        has_kernel = type(self)._make_kernel is not TFOffPolicyAlgorithm._make_kernel
        self._is_compiled = has_kernel and is_in_use()
        self._moved: dict[str, list[tf.Variable]] = {}

    def train_epoch(self, trainer: RunHandle) -> float:
        """Collect, store and learn; see OffPolicyAlgorithm."""
        if self._is_compiled:
            self._kernel = self._make_kernel(alone=self._is_alone(trainer))
        try:
            return super().train_epoch(trainer)
        finally:
            self._release_kernel()

    def _make_kernel(self, alone: bool) -> Any:
        """Return what takes an epoch's gradient steps in C; None if TensorFlow must.

        Args:
            alone: whether the epoch runs nobody else's code, but for environments.
        """
        return None

    def _release_kernel(self) -> None:
        kernel = vars(self).pop("_kernel", None)
        if kernel is not None:
            kernel.release()

    def _finish_epoch(self) -> None:
        super()._finish_epoch()
        self._release_kernel()  # whoever evaluates reads the variables

    def _is_alone(self, trainer: RunHandle) -> bool:
        """Tell whether all that an epoch runs is the framework's, but for environments."""
        sampler, explorer = self._sampler, self.exploration_policy
        parts = [self, trainer, self.policy, explorer, self.replay_buffer, self._random_policy]
        classes = [type(part) for part in (*parts, *self._rates.values())]
        if sampler is not None:
            if type(sampler) is not LocalSampler:  # others copy policies, variables and all
                return False
            classes.append(sampler.worker_class)
        around = explorer is self.policy or getattr(explorer, "policy", None) is self.policy
        return around and all(cls.__module__.startswith("garage_like.") for cls in classes)

    @staticmethod
    def _is_optimizer(cls: Any) -> bool:
        return callable(getattr(of_today(cls), "apply", None))  # ours, or Keras's

    def _new_optimizer(
        self, name: str, cls: Any, keywords: Mapping[str, Any], rate: float, networks: Sequence[Any]
    ) -> Any:
        others = {k: v for k, v in keywords.items() if k not in ("lr", "learning_rate")}
        cls = of_today(cls)
        variables = self._moved[name] = Networks(*networks).trainable_variables
        if not hasattr(cls, "apply_gradients"):
            return cls(variables, **others, lr=rate)
        optimizer = cls(**others, learning_rate=rate)
        optimizer.build(variables)
        return optimizer

    def _follow(self, *networks: Any) -> list[Any]:
        targets = [target_of(network) for network in networks]
        self._targets = TargetNetworks(*zip(targets, networks, strict=True))
        return targets

    def _move(
        self, name: str, tape: tf.GradientTape, loss: tf.Tensor, max_norm: float | None = None
    ) -> None:
        """Take one step of an optimizer; for use within a trace.

        Args:
            name: of the optimizer.
            tape: that watched how the loss came about.
            loss: a scalar.
            max_norm: that gradients are cut to, all together; None for none.
        """
        gradients = tape.gradient(loss, self._moved[name])
        if max_norm is not None:
            shrink = tf.minimum(1.0, max_norm / (tf.linalg.global_norm(gradients) + 1e-6))
            gradients = [None if g is None else g * shrink for g in gradients]
        self._optimizers()[name].apply(gradients)

    def _minibatch(self, transitions: Transitions) -> Minibatch:
        return make_minibatch(transitions, self._env_spec, self._reward_scale)


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Average values, shape (B,), by weights, shape (B,)."""
    return tf.reduce_mean(values * weights)


def values_of(qf: Any, observations: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Return values, shape (B,), of a Q-function that gives them as (B, 1) or as (B,).

    Those of either shape are written; beside rewards of shape (B,), one of the two would be
    broadcast to (B, B) without a word.
    """
    return tf.reshape(qf(observations, actions), (-1,))
