"""A gradient step of SAC's Q-functions and policy, taken by the library."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from garage_like.np.compiled.binding import SoftStep, Steps, address_of, shape_of, steps
from garage_like.torch.kernels.compiled.moved import optimizer_of, place_of
from garage_like.torch.kernels.dense import Dense
from garage_like.torch.kernels.tanh_gaussian import TanhGaussianHead
from garage_like.torch.optimizers.flat_adam import FlatAdam


class Minibatch(NamedTuple):
    """What a step learns from; float32, but for weights that may be None.

    Attributes:
        observations: shape (B, D).
        next_observations: shape (B, D).
        actions: shape (B, K).
        noise: shape (B, K), standard normal.
        next_noise: shape (B, K), standard normal.
        rewards: shape (B,).
        continues: shape (B,), 0 where the episode terminated, else 1.
        weights: shape (B,), of rows.
    """

    observations: np.ndarray
    next_observations: np.ndarray
    actions: np.ndarray
    noise: np.ndarray
    next_noise: np.ndarray
    rewards: np.ndarray
    continues: np.ndarray
    weights: np.ndarray | None


class Means(NamedTuple):
    """Over a minibatch, before the step."""

    log_prob: float
    least_value: float
    critic_loss: float
    first_value: float
    second_value: float
    target: float


class SoftSteps:
    """Moves two Q-functions, and then the policy.

    Args:
        library: takes the steps.
        asked: what is known before there is a minibatch.
        policy_optimizer: moves the policy.
        critic_optimizer: moves the Q-functions.
        memory: what `asked` points into.
    """

    def __init__(
        self,
        library: Steps,
        asked: SoftStep,
        policy_optimizer: FlatAdam,
        critic_optimizer: FlatAdam,
        memory: Sequence[object],
    ) -> None:
        self._library, self._asked, self._memory = library, asked, memory
        self._optimizers = policy_optimizer, critic_optimizer
        self._means = np.zeros(6, np.float32)
        asked.means = self._means.ctypes.data

    @classmethod
    def make(
        cls,
        policy: Dense,
        head: TanhGaussianHead,
        critics: Sequence[Dense],
        targets: Sequence[Dense],
        optimizers: Sequence[FlatAdam],
        discount: float,
        reward_scale: float,
    ) -> SoftSteps | None:
        """Return what takes the steps; None if NumPy must.

        Args:
            policy: the policy's network.
            head: makes actions of its outputs.
            critics: both Q-functions.
            targets: theirs, weights in a row.
            optimizers: of the policy, and of both Q-functions.
            discount: factor for one env step.
            reward_scale: factor for rewards.
        """
        library = steps()
        shapes = [shape_of(network.widths, network.is_tanh) for network in (policy, *critics)]
        if library is None or None in shapes or critics[0].widths != critics[1].widths:
            return None
        if critics[0].is_tanh != critics[1].is_tanh:
            return None
        moved = [optimizer_of(flat) for flat in optimizers]
        places = [place_of(policy, optimizers[0])]
        places += [place_of(critic, optimizers[1]) for critic in critics]
        found = [place for place in places if place is not None]
        if None in moved or len(found) < 3 or not all(target.is_in_a_row for target in targets):
            return None
        asked = SoftStep(
            policy_shape=shapes[0],
            critic_shape=shapes[1],
            policy_at=found[0],
            critic_at=(ctypes.c_int64 * 2)(*found[1:]),
            targets=(ctypes.c_void_p * 2)(*(target.addresses[0][0] for target in targets)),
            centre=head.centre.ctypes.data,
            scale=head.scale.ctypes.data,
            lowest=head.lowest,
            highest=head.highest,
            constant=float(head.constant),
            discount=discount,
            reward_scale=reward_scale,
        )
        memory = (policy, head, *critics, *targets)
        return cls(library, asked, optimizers[0], optimizers[1], memory)

    def take(self, minibatch: Minibatch, alpha: float) -> tuple[Means, np.ndarray]:
        """Take one step; return what is logged, and each row's error, shape (B,).

        Args:
            minibatch: to learn from.
            alpha: weight of the entropy.
        """
        asked = self._asked
        rows = [
            None if array is None else np.ascontiguousarray(array, np.float32)
            for array in minibatch
        ]
        for name, array in zip(Minibatch._fields, rows, strict=True):
            setattr(asked, name, None if array is None else address_of(array))
        errors = np.empty(len(minibatch.rewards), np.float32)
        asked.rows, asked.errors, asked.alpha = len(errors), address_of(errors), alpha
        for flat, name in zip(self._optimizers, ("policy", "critic"), strict=True):
            found = optimizer_of(flat)
            assert found is not None, "it was asked when this was made"
            asked_adam, moved = found
            setattr(asked, f"{name}_adam", asked_adam)
            setattr(asked, "policy" if name == "policy" else "critics", moved)
        self._library.soft_step(ctypes.byref(asked))
        for flat in self._optimizers:
            flat.step_counts += 1.0
        return Means(*self._means.tolist()), errors
