"""TFOffPolicyAlgorithm: what off-policy algorithms in TensorFlow have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garage_like.algos.off_policy import OffPolicyAlgorithm
from garage_like.algos.schedules import Schedule, as_schedule
from garage_like.replay_buffer.transitions import Transitions
from garage_like.tf.algos.minibatch import Minibatch, make_minibatch
from garage_like.tf.algos.target_networks import Networks
from garage_like.tf.policies.policy import Policy
from garage_like.tf.quiet_import import tf

LearningRate = float | Schedule
"""A number, or one that changes with the env steps taken so far."""

OptimizerSpec = Any
"""An optimizer class, ours or Keras's, or a pair of it and its keyword arguments."""

# Snapshots name optimizers by these attributes.
_ATTRIBUTES = {"Policy": "_policy_optimizer", "Critic": "_qf_optimizer"}


class TFOffPolicyAlgorithm(OffPolicyAlgorithm):
    """Turn transitions into tensors, and let learning rates follow their schedules."""

    policy: Policy

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rates: dict[str, Schedule] = {}
        self._moved: dict[str, list[tf.Variable]] = {}

    def _make_optimizer(
        self, name: str, optimizer: OptimizerSpec, learning_rate: LearningRate, *networks: Any
    ) -> Any:
        """Return one optimizer for all weights of some networks.

        Args:
            name: `Policy` or `Critic`, for `Learning/PolicyLearningRate`; the optimizer must
                become the attribute that goes with it.
            optimizer: a class, or a pair of it and its keyword arguments.
            learning_rate: a number or a Schedule; a rate among the keyword arguments comes first.
            *networks: whose weights it moves.
        """
        owner = type(self).__name__
        cls, keywords = optimizer if isinstance(optimizer, tuple) else (optimizer, {})
        if not isinstance(keywords, Mapping) or not callable(getattr(cls, "apply", None)):
            raise ValueError(
                f"{owner}: an optimizer must be a class, or a pair of it and a dict of its keyword "
                f"arguments; got {optimizer!r}"
            )
        keywords = dict(keywords)
        for key in ("lr", "learning_rate"):
            learning_rate = keywords.pop(key, learning_rate)
        schedule = as_schedule(owner, f"the learning rate of {name}", learning_rate)
        variables = Networks(*networks).trainable_variables
        if hasattr(cls, "apply_gradients"):
            made = cls(**{**keywords, "learning_rate": schedule.value(0)})
            made.build(variables)
        else:
            made = cls(variables, **{**keywords, "lr": schedule.value(0)})
        self._rates[name], self._moved[name] = schedule, variables
        return made

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
        getattr(self, _ATTRIBUTES[name]).apply(gradients)

    def _set_learning_rates(self, env_steps: int) -> None:
        for name, schedule in self._rates.items():
            getattr(self, _ATTRIBUTES[name]).learning_rate = schedule.value(env_steps)

    def _learning_rates(self) -> dict[str, float]:
        return {
            f"Learning/{name}LearningRate": float(getattr(self, _ATTRIBUTES[name]).learning_rate)
            for name in self._rates
        }

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
