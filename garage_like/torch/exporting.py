"""Policies of torch as programs that run without this package: TorchScript and ONNX."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from garage_like.torch.policies.policy import Policy

OBSERVATION, ACTION = "observation", "action"


class MostLikelyAction(nn.Module):
    """Map flat observations, shape (N, D), to the actions that a policy finds most likely.

    Args:
        policy: gives actions, or distributions over them.
    """

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return actions, shape (N, K), or (N,) if discrete."""
        found = self.policy(observations)
        actions: torch.Tensor = found if isinstance(found, torch.Tensor) else found[0].mode
        return actions


def write_torchscript(policy: Policy, out: Path) -> None:
    """Write a policy as TorchScript, for `torch.jit.load`."""
    module, example = _ready(policy)
    with _quiet(), torch.no_grad():  # it is deprecated, and there is nothing else for C++
        torch.jit.trace(module, example, check_trace=False).save(str(out))


def write_onnx(policy: Policy, out: Path) -> None:
    """Write a policy as ONNX; the number of observations is free.

    Raises:
        ModuleNotFoundError: if the package onnxscript is not installed.
    """
    if importlib.util.find_spec("onnxscript") is None:
        raise ModuleNotFoundError(
            "ONNX needs the package onnxscript: pip install onnxscript", name="onnxscript"
        )
    module, example = _ready(policy)
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            module,
            (example,),
            str(out),
            input_names=[OBSERVATION],
            output_names=[ACTION],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            external_data=False,
            verbose=False,
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from telling what else it could export if more were installed."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _ready(policy: Policy) -> tuple[MostLikelyAction, torch.Tensor]:
    """Return the module to trace and observations to trace it with, shape (2, D)."""
    parameter = next(policy.parameters(), torch.zeros(()))
    example = torch.zeros(2, policy.env_spec.observation_dim, device=parameter.device)
    return MostLikelyAction(policy).eval(), example
