"""DiscreteMLPDuelingQFunction: DiscreteMLPQFunction with dueling, by garage's name."""

from __future__ import annotations

from typing import Any

from garage_like.tf.q_functions.discrete_mlp_q_function import DiscreteMLPQFunction


class DiscreteMLPDuelingQFunction(DiscreteMLPQFunction):
    """Value all actions at once, the value of the state apart from what each action adds to it.

    Wang et al. 2016, arXiv:1511.06581. Its arguments are those of DiscreteMLPQFunction.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "dueling": True})
