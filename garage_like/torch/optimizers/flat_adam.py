"""FlatAdam: the step of a torch Adam as one operation on one vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from garage_like.torch.optimizers.flat_memory import flat_view, lay_flat, pieces

_SLOTS = ("exp_avg", "exp_avg_sq")
_STEPS = {torch.optim.Adam: torch._fused_adam_, torch.optim.AdamW: torch._fused_adamw_}


class FlatAdam:
    """Take the steps of a `torch.optim.Adam` or `AdamW`, a tenth of its cost on a small network.

    Parameters and slots stay the optimizer's own, under its own names: they are only moved
    together in memory. So the optimizer may be used, saved and loaded as any other.

    Args:
        optimizer: one that `can_be_flat`.

    Attributes:
        parameters: all parameters, shape (P,).
        gradient: of all parameters, shape (P,); to be filled before each step.
        slots: the two running averages, each of shape (P,).
        step_counts: steps taken, shape (tensors,), float32.
        group: the optimizer's options.
        decouples_decay: whether it is AdamW.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._state = optimizer.state
        self.group = optimizer.param_groups[0]
        self._leaves: list[torch.Tensor] = list(self.group["params"])
        self._apply: Any = _STEPS[type(optimizer)]
        self.decouples_decay = type(optimizer) is torch.optim.AdamW
        if not self._state:
            self._make_slots()
        self.parameters = lay_flat(self._leaves)
        self.gradient = torch.zeros_like(self.parameters)
        self._gradients = pieces(self.gradient, self._leaves)
        self.slots = [self._flat_slot(name) for name in _SLOTS]
        self._steps = self._flat_slot("step")
        self._first_step, self.step_counts = self._steps[0], self._steps.numpy()
        self._places = [leaf.data_ptr() for leaf in self._watched()]

    def _make_slots(self) -> None:
        """Make what the optimizer would make at its first step."""
        for leaf in self._leaves:
            slots = {name: torch.zeros_like(leaf) for name in _SLOTS}
            self._state[leaf] = {"step": torch.tensor(0.0), **slots}

    def _flat_slot(self, name: str) -> torch.Tensor:
        return lay_flat([self._state[leaf][name] for leaf in self._leaves])

    def _watched(self) -> list[torch.Tensor]:
        """Return tensors whose memory tells whether anything was moved."""
        return [*self._leaves, self._state[self._leaves[-1]]["exp_avg"]]

    def is_current(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether parameters and slots still lie where they were found."""
        return (
            optimizer.state is self._state
            and optimizer.param_groups[0] is self.group
            and [leaf.data_ptr() for leaf in self._watched()] == self._places
        )

    def moves(self, parameters: Iterable[torch.Tensor]) -> bool:
        """Whether these parameters are all that it moves."""
        return {id(parameter) for parameter in parameters} == {id(leaf) for leaf in self._leaves}

    def gradient_of(self, parameter: torch.Tensor) -> torch.Tensor:
        """Return the part of the gradient that belongs to a parameter, of its shape: a view.

        Raises:
            ValueError: if the optimizer does not move it.
        """
        for leaf, gradient in zip(self._leaves, self._gradients, strict=True):
            if leaf is parameter:
                return gradient
        raise ValueError("the optimizer does not move this parameter")

    def zero_grad(self) -> None:
        """Set the gradient to 0, and let autograd add to it."""
        self.gradient.zero_()
        for leaf, gradient in zip(self._leaves, self._gradients, strict=True):
            if leaf.grad is not gradient:
                leaf.grad = gradient

    def owns_gradients(self) -> bool:
        """Whether autograd's gradients are all in `gradient`."""
        return all(
            leaf.grad is gradient
            for leaf, gradient in zip(self._leaves, self._gradients, strict=True)
        )

    def step(self) -> None:
        """Move the parameters once."""
        group = self.group
        beta1, beta2 = group["betas"]
        self.step_counts += 1.0
        self._apply(
            [self.parameters],
            [self.gradient],
            [self.slots[0]],
            [self.slots[1]],
            [],
            [self._first_step],
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=group["maximize"],
        )


def can_be_flat(optimizer: torch.optim.Optimizer) -> bool:
    """Tell whether FlatAdam may take an optimizer's steps: fused Adam or AdamW without extras."""
    if type(optimizer) not in _STEPS or len(optimizer.param_groups) != 1:
        return False
    group = optimizer.param_groups[0]
    # A scheduler of torch's puts a `step` of its own on the optimizer, to count the calls.
    if not group.get("fused") or group["amsgrad"] or "step" in vars(optimizer):
        return False
    if isinstance(group["lr"], torch.Tensor) or any(
        isinstance(beta, torch.Tensor) for beta in group["betas"]
    ):
        return False
    if optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        return False
    leaves = group["params"]
    if any(
        leaf.device.type != "cpu" or leaf.dtype != torch.float32 or not leaf.requires_grad
        for leaf in leaves
    ):
        return False
    return not optimizer.state or _steps_agree(optimizer, leaves)


def _steps_agree(optimizer: torch.optim.Optimizer, leaves: list[torch.Tensor]) -> bool:
    """Whether every parameter has slots and has taken as many steps."""
    slots = [optimizer.state.get(leaf) for leaf in leaves]
    if any(not one or not torch.is_tensor(one.get("step")) for one in slots):
        return False
    steps = [one["step"] for one in slots if one]
    flat = flat_view(steps)
    if len(set(map(float, steps) if flat is None else flat.tolist())) != 1:
        return False
    return all(one[name].dtype == torch.float32 for one in slots if one for name in _SLOTS)
