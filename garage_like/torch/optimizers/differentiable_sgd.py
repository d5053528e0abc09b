"""DifferentiableSGD: gradient steps that can be differentiated through."""

from __future__ import annotations

from torch import nn

from garage_like.torch.functions import update_module_params


class DifferentiableSGD:
    """Take gradient steps whose results still depend on the weights before them.

    For meta-learning by hand: call `backward(create_graph=True)`, then `step`.

    Args:
        module: whose weights are replaced.
        lr: length of the steps.
    """

    def __init__(self, module: nn.Module, lr: float = 1e-3) -> None:
        self.module = module
        self.lr = lr

    def step(self) -> None:
        """Replace each weight that has a gradient by what a step makes of it."""
        moved = {
            name: weight.add(weight.grad, alpha=-self.lr)
            for name, weight in self.module.named_parameters()
            if weight.grad is not None
        }
        for weight in moved.values():
            if weight.requires_grad:
                weight.retain_grad()  # what is computed gets no gradient else, for a next step
        update_module_params(self.module, moved)

    def zero_grad(self) -> None:
        """Forget the gradients of all weights."""
        for weight in self.module.parameters():
            if weight.grad is not None:
                weight.grad = weight.grad.detach().zero_()

    def set_grads_none(self) -> None:
        """Take the gradients of all weights away; those without one are not moved."""
        for weight in self.module.parameters():
            weight.grad = None
