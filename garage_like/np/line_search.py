"""What a step within a trust region is asked for, checked alike for each library that takes it."""

from __future__ import annotations


def check_line_search(
    max_constraint_value: float, cg_iters: int, max_backtracks: int, backtrack_ratio: float
) -> None:
    """Raise ValueError if an argument of a ConjugateGradientOptimizer is out of range."""
    if not max_constraint_value > 0.0:
        raise ValueError(
            "ConjugateGradientOptimizer: max_constraint_value must be positive, "
            f"got {max_constraint_value!r}"
        )
    if not 0.0 < backtrack_ratio < 1.0:
        raise ValueError(
            "ConjugateGradientOptimizer: backtrack_ratio must lie between 0 and 1, "
            f"got {backtrack_ratio!r}"
        )
    for name, count in (("cg_iters", cg_iters), ("max_backtracks", max_backtracks)):
        if count < 1:
            raise ValueError(
                f"ConjugateGradientOptimizer: {name} must be at least 1, got {count!r}"
            )
