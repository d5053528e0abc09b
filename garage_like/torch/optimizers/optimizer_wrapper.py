"""OptimizerWrapper: an optimizer, the module it moves, and how often it moves it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from garage_like import seeding
from garage_like.configuration.configured import Configured, changed_options
from garage_like.np.compiled.binding import OFF, is_in_use
from garage_like.torch.kernels.policy_gradient import WholeUpdate
from garage_like.torch.optimizers.flat_adam import FlatAdam, can_be_flat
from garage_like.torch.optimizers.light_start import leave_compiler_alone

OptimizerSpec = type[torch.optim.Optimizer] | tuple[type[torch.optim.Optimizer], Mapping[str, Any]]

_HAVE_A_FUSED_FORM = (torch.optim.Adam, torch.optim.AdamW)
_COUNTS = ("max_optimization_epochs", "minibatch_size")

leave_compiler_alone()  # here, since a restore calls no constructor

# Made again whenever they are not there, so they are no part of a run's state.
_FLAT: weakref.WeakKeyDictionary[OptimizerWrapper, FlatAdam] = weakref.WeakKeyDictionary()


class Gradient(Protocol):
    """Compute the gradient of one loss without autograd."""

    @property
    def whole(self) -> WholeUpdate | None:
        """What takes all steps of an update at once; None if nothing does."""

    def differentiate(self, *minibatch: np.ndarray) -> None:
        """Write the gradient of the mean loss of a minibatch into the optimizer's gradient."""


def fast_path_is_on() -> bool:
    """Tell whether anything may be computed without torch: not if its variable says 0."""
    return os.environ.get(OFF) != "0"


class OptimizerWrapper(Configured):
    """Take gradient steps on minibatches.

    Adam and AdamW step all parameters at once: parameters and slots are moved together in memory,
    and stay the torch optimizer's own.

    Args:
        optimizer: an optimizer class, or a pair of it and its keyword arguments, such as
            `(torch.optim.Adam, dict(lr=3e-4))`. Adam and AdamW run fused unless told otherwise:
            the same numbers from run to run, in half the time.
        module: whose parameters it moves.
        max_optimization_epochs: passes over the data in one update.
        minibatch_size: rows for one gradient step; None takes all rows at once.
        max_grad_norm: what all gradients together are cut to; None for no limit.
        fast_path: whether losses that have an analytic gradient are differentiated by it and not
            by autograd: in C where that was compiled, or else in NumPy. None is yes, unless the
            environment variable GARAGE_LIKE_FAST_PATH is 0; if that is `numpy`, NumPy does it. A
            resumed run goes on as it began.

    Raises:
        TypeError: if `optimizer` is neither.
        ValueError: if a number is not positive.
    """

    _max_grad_norm: float | None = None
    _is_compiled = False  # of snapshots that were made before there was anything in C
    _takes_q_steps = False  # of those from before DQN's step was one call of it

    def __init__(
        self,
        optimizer: OptimizerSpec,
        module: nn.Module,
        max_optimization_epochs: int = 1,
        minibatch_size: int | None = None,
        fast_path: bool | None = None,
        max_grad_norm: float | None = None,
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
        if max_grad_norm is not None and not max_grad_norm > 0.0:
            raise ValueError(
                f"OptimizerWrapper: max_grad_norm must be positive or None, got {max_grad_norm!r}"
            )
        parameters = list(module.parameters())
        if optimizer_class in _HAVE_A_FUSED_FORM and not {"fused", "foreach"} & options.keys():
            options["fused"] = all(p.is_floating_point() for p in parameters)
        self._optimizer = optimizer_class(parameters, **options)
        self._max_optimization_epochs = max_optimization_epochs
        self._minibatch_size = minibatch_size
        self._max_grad_norm = max_grad_norm
        self._fast_path = fast_path_is_on() if fast_path is None else bool(fast_path)
        self._is_compiled = self._takes_q_steps = self._fast_path and is_in_use()
        self._rng = seeding.stream(f"minibatches of {type(module).__name__}")

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Go on with another learning rate, say; slots stay. See `Configured`.

        Args:
            values: `optimizer` is a list of the same class and its keyword arguments.

        Raises:
            ValueError: if the class is another, or has no such keyword argument.
        """
        others, options, groups = dict(values), {}, self._optimizer.param_groups
        if "optimizer" in others:
            options = changed_options(others.pop("optimizer"), self._optimizer, groups[0])
        anyone = nn.ParameterList([nn.Parameter(torch.zeros(1))])
        counts = {name: others[name] for name in _COUNTS if name in others}
        OptimizerWrapper((type(self._optimizer), options), anyone, **counts)  # which checks them
        for group in groups:
            group.update(options)
        super().change_arguments(others)

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
        for order in self._orders(len(tensors[0])):
            if order is None:
                yield tensors
                continue
            rows = torch.from_numpy(order).to(tensors[0].device)
            pieces = self._num_pieces(len(order))
            yield from zip(*(t[rows].tensor_split(pieces) for t in tensors), strict=True)

    def _orders(self, rows: int) -> Iterator[np.ndarray | None]:
        """Yield the order of rows in each pass; None for all at once."""
        for _ in range(self._max_optimization_epochs):
            if self._minibatch_size is None or self._minibatch_size >= rows:
                yield None
            else:
                yield self._rng.permutation(rows)

    def _num_pieces(self, rows: int) -> int:
        return -(-rows // (self._minibatch_size or rows))

    def minimize(
        self,
        loss: Callable[..., torch.Tensor],
        *tensors: torch.Tensor,
        gradient: Gradient | None = None,
    ) -> None:
        """Take one gradient step for each minibatch; keep no gradients.

        Args:
            loss: maps a minibatch of `tensors` to a scalar.
            *tensors: each of S rows.
            gradient: computes the gradient of `loss` without autograd; None if nothing can.
        """
        if gradient is not None:
            self._follow(gradient, [tensor.numpy() for tensor in tensors])
            return
        flat = self.flat_adam()
        for minibatch in self.get_minibatch(*tensors):
            (self if flat is None else flat).zero_grad()
            torch.autograd.backward(loss(*minibatch))
            if self._max_grad_norm is not None:
                parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
                nn.utils.clip_grad_norm_(parameters, self._max_grad_norm)
            (self if flat is None else flat).step()
        self.forget_gradients()

    def _follow(self, gradient: Gradient, arrays: list[np.ndarray]) -> None:
        """Do what `minimize` does, with a gradient that needs no autograd."""
        flat = self.flat_adam()
        assert flat is not None
        orders = list(self._orders(len(arrays[0])))
        pieces = self._num_pieces(len(arrays[0]))
        if gradient.whole is not None and gradient.whole.take(orders, pieces, arrays):
            return
        for order in orders:
            passed = arrays if order is None else [array.take(order, 0) for array in arrays]
            for minibatch in zip(*(np.array_split(a, pieces) for a in passed), strict=True):
                gradient.differentiate(*minibatch)
                flat.step()

    @property
    def fast_path(self) -> bool:
        """Whether analytic gradients may be used."""
        return self._fast_path

    @property
    def is_compiled(self) -> bool:
        """Whether the library in C takes the steps that it knows."""
        return self._is_compiled

    @property
    def takes_q_steps(self) -> bool:
        """Whether it takes a step of DQN in one call, not pass by pass as it did at first."""
        return self._takes_q_steps

    def flat_adam(self) -> FlatAdam | None:
        """Return what takes all of Adam's steps at once; None for an optimizer of another kind."""
        if self._max_grad_norm is not None:  # which analytic gradients know nothing of
            return None
        flat = _FLAT.get(self)
        if flat is None or not flat.is_current(self._optimizer):
            if not can_be_flat(self._optimizer):
                return None
            flat = _FLAT[self] = FlatAdam(self._optimizer)
        return flat

    def zero_grad(self) -> None:
        """Set the gradients to 0, or to none."""
        flat = self.flat_adam()
        if flat is None:
            self._optimizer.zero_grad()
        else:
            flat.zero_grad()

    def forget_gradients(self) -> None:
        """Set the gradients to none, so that a snapshot need not hold them."""
        self._optimizer.zero_grad()

    def step(self, *args: Any, **kwargs: Any) -> Any:
        """Move the parameters once; arguments go to the optimizer."""
        flat = None if args or kwargs else self.flat_adam()
        if flat is None or not flat.owns_gradients():
            _FLAT.pop(self, None)
            return self._optimizer.step(*args, **kwargs)
        return flat.step()


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
    if isinstance(options.get("lr"), str):
        raise TypeError(f"OptimizerWrapper: lr must be a number, got {options['lr']!r}")
    return optimizer_class, dict(options)
