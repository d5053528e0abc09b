"""A match: one weight of the target and the arrays of a checkpoint that it is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from garage_like.interop.checkpoint import as_array
from garage_like.interop.foreign_names import is_plain_deviation, temperature_kind
from garage_like.interop.weights import Component, Weight


@dataclass
class Match:
    """What one weight of the target gets.

    Attributes:
        weight: of the target.
        sources: names in the checkpoint; several are joined by their outputs.
        is_turned: whether the checkpoint has the kernel as (inputs, outputs).
        how: why these.
    """

    weight: Weight
    sources: tuple[str, ...]
    is_turned: bool = False
    how: str = "shape and order"


@dataclass
class Matching:
    """What was found for the weights of a target.

    Attributes:
        matches: one for each weight that gets something.
        ambiguous: for a weight that could get several things, their names.
        leftover: names in the checkpoint that a network needs and that have no place here.
    """

    matches: list[Match] = field(default_factory=list)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    leftover: list[str] = field(default_factory=list)

    @property
    def matched(self) -> set[str]:
        """Names of the weights that get something."""
        return {match.weight.name for match in self.matches}

    @property
    def used(self) -> set[str]:
        """Names in the checkpoint that are taken."""
        return {source for match in self.matches for source in match.sources}


def array_for(match: Match, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return what a weight gets, kernels as (outputs, inputs).

    Raises:
        ValueError: if it has another shape than the weight.
    """
    parts = [arrays[name].T if match.is_turned else arrays[name] for name in match.sources]
    array = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=0)
    shape = match.weight.shape
    # Libraries write what does not depend on the observation with an axis of 1, or without.
    if len(shape) < 2 and array.size == np.prod(shape) and array.size == max(array.shape or (1,)):
        array = array.reshape(shape)
    if array.shape != shape:
        raise ValueError(f"expected shape {shape}, found {array.shape}")
    return array


def is_logarithm_of(match: Match) -> bool:
    """Whether the target has the logarithm of what the checkpoint has."""
    name, own = match.sources[0], match.weight.name
    if own.endswith("std_parameter"):
        return is_plain_deviation(name) and not name.endswith("std_parameter")
    return own.endswith("log_alpha") and temperature_kind(name) == "plain"


def value_for(
    match: Match, arrays: Mapping[str, np.ndarray], components: Sequence[Component]
) -> np.ndarray:
    """Return what a weight gets, turned into what the target's parameter means."""
    array = array_for(match, arrays).astype(match.weight.read().dtype)
    component = next(one for one in components if match.weight in one.weights)
    if is_logarithm_of(match):
        match.how += ", its logarithm"
        array = np.log(array)
    # Under our own name it is the parameter already.
    is_ours = match.sources[0].endswith(".std_parameter") or match.sources[0] == "std_parameter"
    is_deviation_here = match.weight.name.endswith("std_parameter")
    if is_deviation_here and not is_ours and _has_softplus(component.module):
        match.how += ", for softplus"
        array = np.log(np.expm1(np.exp(array)))
    return array


def _has_softplus(module: Any) -> bool:
    """Whether the deviation of a policy is softplus of its parameter, and not exp."""
    parameter, log_std = as_array(module.std_parameter), as_array(module.log_std)
    assert parameter is not None
    assert log_std is not None
    return bool(np.allclose(log_std, np.log(np.log1p(np.exp(parameter))), atol=1e-5))
