"""DDQN: double deep Q-learning."""

from __future__ import annotations

from typing import Any

from garage_like.tf.algos.dqn import DQN


class DDQN(DQN):
    """Let the online network choose the next action, and the target network value it.

    Van Hasselt et al. 2016, arXiv:1509.06461. This is DQN with `double_q`, by the name of the
    paper; its other arguments are those of DQN.

    Args:
        *args: as of DQN.
        double_q: True.
        **options: as of DQN.

    Raises:
        ValueError: if double_q is False.
    """

    def __init__(self, *args: Any, double_q: bool = True, **options: Any) -> None:
        if not double_q:
            raise ValueError("DDQN: double_q=False is DQN(double_q=False)")
        super().__init__(*args, double_q=True, **options)
