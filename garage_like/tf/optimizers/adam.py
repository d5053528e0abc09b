"""Adam: slots are plain variables, which a snapshot keeps and traces may change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from garage_like.configuration.configured import Configured
from garage_like.tf.modules.initializers import as_array
from garage_like.tf.quiet_import import tf


class Adam(Configured):
    """Scale each gradient by what its past squares were (Kingma, Ba 2015, arXiv:1412.6980).

    Args:
        variables: what it moves.
        lr: learning rate.
        betas: how much of the past the averages of gradients and of their squares keep.
        eps: added to the root of the squares.

    Attributes:
        step_count: updates so far.
        first_moments: averages of gradients, for each variable.
        second_moments: averages of squared gradients, for each variable.

    Raises:
        ValueError: if a number is out of range.
    """

    def __init__(
        self,
        variables: Sequence[tf.Variable],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        if not lr > 0.0:
            raise ValueError(f"Adam: lr must be positive, got {lr!r}")
        if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"Adam: betas must be two numbers in [0, 1), got {betas!r}")
        if not eps > 0.0:
            raise ValueError(f"Adam: eps must be positive, got {eps!r}")
        self.variables = list(variables)
        self._betas, self._eps = betas, eps
        self._learning_rate = tf.Variable(np.float32(lr), trainable=False, name="learning_rate")
        self.step_count = tf.Variable(np.float32(0), trainable=False, name="step_count")
        self.first_moments = [_zeros_like(variable) for variable in self.variables]
        self.second_moments = [_zeros_like(variable) for variable in self.variables]

    @property
    def betas(self) -> tuple[float, float]:
        """How much of the past the averages keep."""
        return self._betas

    @property
    def eps(self) -> float:
        """What is added to the root of the squares."""
        return self._eps

    @property
    def learning_rate(self) -> float:
        """The learning rate; it may be set at any time."""
        return float(as_array(self._learning_rate))

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if as_array(self._learning_rate) != np.float32(value):  # to assign takes ten times as long
            self._learning_rate.assign(value)

    def apply(self, gradients: Sequence[tf.Tensor | None]) -> None:
        """Take one step along gradients, one for each variable; None leaves its variable alone."""
        beta1, beta2 = self._betas
        count = self.step_count.assign_add(1.0)
        power1, power2 = beta1**count, beta2**count
        # The kernel adds epsilon before it corrects the root; the paper, and torch, after.
        epsilon = self._eps * tf.sqrt(1.0 - power2)
        slots = zip(self.variables, self.first_moments, self.second_moments, strict=True)
        for (variable, first, second), gradient in zip(slots, gradients, strict=True):
            if gradient is None:
                continue
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=power1,
                beta2_power=power2,
                lr=self._learning_rate,
                beta1=beta1,
                beta2=beta2,
                epsilon=epsilon,
                grad=gradient,
            )


def _zeros_like(variable: tf.Variable) -> tf.Variable:
    return tf.Variable(tf.zeros(variable.shape, variable.dtype), trainable=False)
