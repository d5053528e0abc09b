"""A gradient step of DQN, taken by the library."""

from __future__ import annotations

import ctypes

import numpy as np

from garage_like.np.compiled.binding import Adam, Moved, QStep, Shape, address_of, steps


class QSteps:
    """Moves a Q-function of discrete actions by the smooth L1 loss.

    Args:
        shape: of both networks.
        network: where the weights of what is trained begin among the optimizer's.
        target: address of those of what gives the targets, which lie in a row.
        discount: factor for one env step.
        double_q: whether what is trained picks the next actions.
        clip_gradient: what the gradient's norm is cut to; None for no limit.

    Raises:
        ValueError: if there is no library.
    """

    def __init__(
        self,
        shape: Shape,
        network: int,
        target: int,
        discount: float,
        double_q: bool,
        clip_gradient: float | None,
    ) -> None:
        library = steps()
        if library is None:
            raise ValueError("QSteps: there is no library in C here")
        self._library = library
        self._means = np.zeros(3, np.float32)
        self._room: dict[str, np.ndarray] = {}
        self._asked = QStep(
            shape,
            network=network,
            target=target,
            double_q=double_q,
            discount=discount,
            clip=-1.0 if clip_gradient is None else clip_gradient,
            means=self._means.ctypes.data,
        )

    def take(
        self,
        optimizer: tuple[Adam, Moved],
        observations: np.ndarray,
        next_observations: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        continues: np.ndarray,
        weights: np.ndarray | None,
    ) -> tuple[list[float], np.ndarray]:
        """Take one step; return means of loss, value and target, and errors, shape (B,).

        Args:
            optimizer: as it is before the step; whoever calls counts its steps.
            observations: shape (B, D).
            next_observations: shape (B, D).
            actions: shape (B,), integers.
            rewards: shape (B,).
            continues: shape (B,), 0 where the episode terminated, else 1.
            weights: shape (B,), of rows; None for 1.
        """
        asked = self._asked
        asked.adam, asked.moved = optimizer
        room = self._room
        if asked.rows != len(actions):
            room = self._make_room(len(actions), observations.shape[1])
        room["observations"][:] = observations
        room["next_observations"][:] = next_observations
        room["rewards"][:] = rewards
        room["continues"][:] = continues
        room["actions"][:] = actions
        # Kept by name until the call is through: the library has its address alone.
        weighed = None if weights is None else np.ascontiguousarray(weights, np.float32)
        asked.weights = None if weighed is None else address_of(weighed)
        self._library.q_step(ctypes.byref(asked))
        return self._means.tolist(), room["errors"].copy()

    def _make_room(self, rows: int, inputs: int) -> dict[str, np.ndarray]:
        """Make what the library reads and writes, kept since asking where it lies takes long."""
        asked = self._asked
        one = ("rewards", "continues", "errors")
        self._room = {name: np.empty(rows, np.float32) for name in one}
        for name in ("observations", "next_observations"):
            self._room[name] = np.empty((rows, inputs), np.float32)
        self._room["actions"] = np.empty(rows, np.int64)
        for name, array in self._room.items():
            setattr(asked, name, address_of(array))
        asked.rows = rows
        return self._room
