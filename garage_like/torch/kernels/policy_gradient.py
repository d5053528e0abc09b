"""Gradients of the losses of VPG and PPO, and of the value function that goes with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from garage_like.torch.kernels.dense import Dense

_LOG_2_PI = math.log(2.0 * math.pi)


class Head(Protocol):
    """What a network's outputs mean: a distribution over actions."""

    def log_probs(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return log-probabilities of actions, shape (B,); remember what `delta` needs."""

    def delta(self, by_log_prob: np.ndarray, by_entropy: float) -> np.ndarray:
        """Return the gradient with respect to the outputs, shape (B, outputs).

        Args:
            by_log_prob: shape (B,), gradient of the loss by each log-probability.
            by_entropy: gradient of the loss by each row's entropy.
        """


class CategoricalHead:
    """Take outputs as logits of K actions."""

    def __init__(self) -> None:
        self._rows = np.empty(0, np.intp)

    def log_probs(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return log-probabilities, shape (B,); overwrites `outputs`, shape (B, K)."""
        if len(self._rows) != len(outputs):
            self._rows = np.arange(len(outputs))
        outputs -= np.maximum.reduce(outputs, axis=1, keepdims=True)
        probabilities = np.exp(outputs)
        totals = np.add.reduce(probabilities, axis=1, keepdims=True)
        probabilities /= totals
        outputs -= np.log(totals)
        self._all_log_probs, self._probabilities, self._actions = outputs, probabilities, actions
        chosen: np.ndarray = outputs[self._rows, actions]
        return chosen

    def delta(self, by_log_prob: np.ndarray, by_entropy: float) -> np.ndarray:
        """Use d log p(a) / dz = [a] - p, and dH / dz = -p (log p + H)."""
        probabilities = self._probabilities
        if by_entropy:
            terms = probabilities * self._all_log_probs
            entropies = np.add.reduce(terms, axis=1, keepdims=True)
            terms -= probabilities * entropies
            terms *= np.float32(-by_entropy)
        delta = probabilities * -by_log_prob[:, None]
        delta[self._rows, self._actions] += by_log_prob
        if by_entropy:
            delta += terms
        return delta


class GaussianHead:
    """Take outputs as means of K independent normal numbers, whose spread is a parameter.

    Args:
        parameter: shape (K,), natural logarithm of the standard deviations before the limits.
        gradient: where the gradient of it goes; None if it is not learned.
        lowest: the limit below.
        highest: the limit above; None for none.
    """

    def __init__(
        self,
        parameter: np.ndarray,
        gradient: np.ndarray | None,
        lowest: float,
        highest: float | None,
    ) -> None:
        self.parameter, self._gradient = parameter, gradient
        self.learns = gradient is not None
        self.lowest = lowest
        self.highest = math.inf if highest is None else highest

    def log_probs(self, outputs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return log-densities, shape (B,); overwrites `outputs`, shape (B, K)."""
        log_std = np.clip(self.parameter, self.lowest, self.highest)
        self._inverse_std = np.exp(-log_std)
        z = np.subtract(actions, outputs, out=outputs)
        z *= self._inverse_std
        self._z = z
        self._squares = z * z
        constant = float(log_std.sum()) + 0.5 * _LOG_2_PI * len(log_std)
        log_probs: np.ndarray = np.add.reduce(self._squares, axis=1)
        log_probs *= np.float32(-0.5)
        log_probs -= np.float32(constant)
        return log_probs

    def delta(self, by_log_prob: np.ndarray, by_entropy: float) -> np.ndarray:
        """Use d log p / d mean = z / std, d log p / d log std = z^2 - 1, dH / d log std = 1."""
        if self._gradient is not None:
            gradient = by_log_prob.dot(self._squares)
            gradient += np.float32(by_entropy * len(by_log_prob) - by_log_prob.sum())
            inside = (self.parameter >= self.lowest) & (self.parameter <= self.highest)
            np.multiply(gradient, inside, out=self._gradient)
        delta = self._z * self._inverse_std
        delta *= by_log_prob[:, None]
        return delta


class WholeUpdate(Protocol):
    """Take all gradient steps of an update at once."""

    def take(
        self, orders: Sequence[np.ndarray | None], pieces: int, arrays: Sequence[np.ndarray]
    ) -> bool:
        """Take the steps; False, with nothing changed, if they must be taken one by one.

        Args:
            orders: of the rows in each pass, each of shape (S,), int64; None as they lie.
            pieces: minibatches in a pass.
            arrays: as `differentiate` takes them, but for all S rows.
        """


class PolicyGradient:
    """Differentiate -mean(objective + coefficient * entropy).

    Args:
        network: gives the head's outputs.
        head: makes a distribution of them.
        clip_range: of PPO's likelihood ratios; None for VPG, whose objective is log pi * A.
        entropy_coefficient: weight of the entropy.
    """

    whole: WholeUpdate | None = None

    def __init__(
        self, network: Dense, head: Head, clip_range: float | None, entropy_coefficient: float
    ) -> None:
        self.network, self.head = network, head
        self.clip_range = clip_range
        self.entropy_coefficient = entropy_coefficient

    def differentiate(self, *minibatch: np.ndarray) -> None:
        """Write the gradient.

        Args:
            *minibatch: observations, shape (B, D), float32; actions, shape (B,) or (B, K);
                advantages, shape (B,), float32; old log-probabilities, shape (B,), float32.
        """
        observations, actions, advantages, old_log_probs = minibatch
        outputs = self.network.forward(observations)
        log_probs = self.head.log_probs(outputs, actions)
        by_log_prob = advantages * np.float32(-1.0 / len(advantages))
        if self.clip_range is not None:
            ratios = np.subtract(log_probs, old_log_probs, out=log_probs)
            np.exp(ratios, out=ratios)
            # min(r A, clip(r) A) moves with r but where r has gone too far already.
            counts = np.where(
                advantages >= 0.0,
                ratios <= 1.0 + self.clip_range,
                ratios >= 1.0 - self.clip_range,
            )
            by_log_prob *= ratios
            by_log_prob *= counts
        by_entropy = -self.entropy_coefficient / len(advantages)
        self.network.backward(self.head.delta(by_log_prob, by_entropy))


class ValueGradient:
    """Differentiate the mean of -log N(G | V(s), sigma^2).

    Args:
        network: gives the values, shape (B, 1).
        log_std: the logarithm of sigma, of no dimension.
        log_std_gradient: where its gradient goes; None if it is not learned.
    """

    whole: WholeUpdate | None = None

    def __init__(
        self, network: Dense, log_std: torch.Tensor, log_std_gradient: torch.Tensor | None
    ) -> None:
        self.network = network
        self.log_std = log_std.detach().numpy()
        self.learns_log_std = log_std_gradient is not None
        self._gradient = None if log_std_gradient is None else log_std_gradient.numpy()

    def differentiate(self, *minibatch: np.ndarray) -> None:
        """Write the gradient.

        Args:
            *minibatch: observations, shape (B, D), float32; returns, shape (B,), float32.
        """
        observations, returns = minibatch
        errors = self.network.forward(observations)[:, 0]
        errors -= returns
        precision = math.exp(-2.0 * float(self.log_std))
        if self._gradient is not None:
            mean_square = float(errors.dot(errors)) / len(errors)
            self._gradient[...] = 1.0 - mean_square * precision
        errors *= np.float32(precision / len(errors))
        self.network.backward(errors[:, None])
