"""OptimizerWrapper: an optimizer, the module it moves, and how often it moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from garage_like import seeding

OptimizerSpec = type[torch.optim.Optimizer] | tuple[type[torch.optim.Optimizer], Mapping[str, Any]]

_HAVE_A_FUSED_FORM = (torch.optim.Adam, torch.optim.AdamW)


class OptimizerWrapper:
    """Take gradient steps on minibatches.

    Args:
        optimizer: an optimizer class, or a pair of it and its keyword arguments, such as
            `(torch.optim.Adam, dict(lr=3e-4))`. Adam and AdamW run fused unless told otherwise:
            the same numbers from run to run, in half the time.
        module: whose parameters it moves.
        max_optimization_epochs: passes over the data in one update.
        minibatch_size: rows for one gradient step; None takes all rows at once.

    Raises:
        TypeError: if `optimizer` is neither.
        ValueError: if a number is not positive.
    """

    def __init__(
        self,
        optimizer: OptimizerSpec,
        module: nn.Module,
        max_optimization_epochs: int = 1,
        minibatch_size: int | None = None,
    ) -> None:
        optimizer_class, options = _split_spec(optimizer)
        if max_optimization_epochs < 1:
            raise ValueError(
                "OptimizerWrapper: max_optimization_epochs must be at least 1, "
                f"got {max_optimization_epochs!r}"
            )
        if minibatch_size is not None and minibatch_size < 1:
            raise ValueError(
                "OptimizerWrapper: minibatch_size must be at least 1, or None for all rows, "
                f"got {minibatch_size!r}"
            )
        parameters = list(module.parameters())
        if optimizer_class in _HAVE_A_FUSED_FORM and not {"fused", "foreach"} & options.keys():
            options["fused"] = all(p.is_floating_point() for p in parameters)
        self._optimizer = optimizer_class(parameters, **options)
        self._max_optimization_epochs = max_optimization_epochs
        self._minibatch_size = minibatch_size
        self._rng = seeding.stream(f"minibatches of {type(module).__name__}")

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The torch optimizer."""
        return self._optimizer

    def get_minibatch(self, *tensors: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield the same rows of each tensor, pass after pass, in a new order each pass.

        Rows are gathered once for a pass, so a minibatch costs no copy. Where the size does not
        divide the rows, minibatches differ by one row at most: none is a noisy remainder.

        Args:
            *tensors: each of S rows.
        """
        rows = len(tensors[0])
        for _ in range(self._max_optimization_epochs):
            if self._minibatch_size is None or self._minibatch_size >= rows:
                yield tensors
                continue
            order = torch.from_numpy(self._rng.permutation(rows)).to(tensors[0].device)
            pieces = -(-rows // self._minibatch_size)
            yield from zip(*(t[order].tensor_split(pieces) for t in tensors), strict=True)

    def minimize(self, loss: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> None:
        """Take one gradient step for each minibatch; keep no gradients.

        Args:
            loss: maps a minibatch of `tensors` to a scalar.
            *tensors: each of S rows.
        """
        for minibatch in self.get_minibatch(*tensors):
            self.zero_grad()
            torch.autograd.backward(loss(*minibatch))
            self.step()
        self.zero_grad()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._optimizer.zero_grad()

    def step(self, *args: Any, **kwargs: Any) -> Any:
        """Move the parameters once; arguments go to the optimizer."""
        return self._optimizer.step(*args, **kwargs)


def _split_spec(spec: Any) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """Tell the class from its keyword arguments."""
    optimizer_class, options = spec if isinstance(spec, tuple) and len(spec) == 2 else (spec, {})
    is_class = isinstance(optimizer_class, type) and issubclass(
        optimizer_class, torch.optim.Optimizer
    )
    if not is_class or not isinstance(options, Mapping):
        raise TypeError(
            "OptimizerWrapper: optimizer must be a torch.optim.Optimizer class or a pair "
            f"(class, dict of keyword arguments), got {spec!r}"
        )
    return optimizer_class, dict(options)
