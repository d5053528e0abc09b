"""A gradient step of DQN, taken by the library."""

from __future__ import annotations

import ctypes

import numpy as np

from garage_like.torch.kernels.compiled.binding import QStep, address_of, shape_of, steps
from garage_like.torch.kernels.compiled.moved import optimizer_of, place_of
from garage_like.torch.kernels.dense import Dense
from garage_like.torch.optimizers.flat_adam import FlatAdam


class QSteps:
    """Moves a Q-function of discrete actions by the smooth L1 loss.

    Args:
        qf: what is trained.
        target: what gives the targets.
        flat: moves `qf`.
        discount: factor for one env step.
        double_q: whether `qf` picks the next actions.
        clip_gradient: what the gradient's norm is cut to; None for no limit.

    Raises:
        ValueError: if the library cannot take them.
    """

    def __init__(
        self,
        qf: Dense,
        target: Dense,
        flat: FlatAdam,
        discount: float,
        double_q: bool,
        clip_gradient: float | None,
    ) -> None:
        library, shape = steps(), shape_of(qf.widths, qf.is_tanh)
        place, moved = place_of(qf, flat), optimizer_of(flat)
        alike = qf.widths == target.widths and qf.is_tanh == target.is_tanh
        if library is None or shape is None or place is None or moved is None or not alike:
            raise ValueError("QSteps: the library in C cannot take this network's steps")
        if not target.is_in_a_row:
            raise ValueError("QSteps: the weights of the target must lie in a row")
        self._library, self._flat, self._networks = library, flat, (qf, target)
        self._means = np.zeros(3, np.float32)
        self._asked = QStep(
            shape,
            *moved,
            network=place,
            target=target.addresses[0][0],
            double_q=double_q,
            discount=discount,
            clip=-1.0 if clip_gradient is None else clip_gradient,
            means=self._means.ctypes.data,
        )

    def take(
        self,
        observations: np.ndarray,
        next_observations: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        continues: np.ndarray,
        weights: np.ndarray | None,
    ) -> tuple[list[float], np.ndarray]:
        """Take one step; return means of loss, value and target, and errors, shape (B,).

        Args:
            observations: shape (B, D).
            next_observations: shape (B, D).
            actions: shape (B,), integers.
            rewards: shape (B,).
            continues: shape (B,), 0 where the episode terminated, else 1.
            weights: shape (B,), of rows; None for 1.
        """
        asked, found = self._asked, optimizer_of(self._flat)
        assert found is not None, "it was asked when this was made"
        asked.adam, asked.moved = found
        asked.rows = len(actions)
        errors = np.empty(len(actions), np.float32)
        # Kept by name until the call is through: the library has their addresses alone.
        arrays = [
            np.ascontiguousarray(array, np.float32)
            for array in (observations, next_observations, rewards, continues)
        ]
        chosen = np.ascontiguousarray(actions, np.int64)
        names = ("observations", "next_observations", "rewards", "continues")
        for name, array in zip(names, arrays, strict=True):
            setattr(asked, name, address_of(array))
        weighed = None if weights is None else np.ascontiguousarray(weights, np.float32)
        asked.weights = None if weighed is None else address_of(weighed)
        asked.actions, asked.errors = address_of(chosen), address_of(errors)
        self._library.q_step(ctypes.byref(asked))
        self._flat.step_counts += 1.0
        return self._means.tolist(), errors
