"""Which off-policy updates have a kernel, and what kernels have in common."""

from __future__ import annotations

import abc
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gymnasium import spaces

from garage_like.configuration.extension_points import overrides
from garage_like.data.batches import StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.np.observations import flatten_observations
from garage_like.replay_buffer.transitions import Transitions

if TYPE_CHECKING:
    from garage_like.interfaces import Metrics
    from garage_like.torch.optimizers.flat_adam import FlatAdam
    from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper


class Accelerated(Protocol):
    """An algorithm whose gradient steps may have a kernel.

    Attributes:
        kernel_settings: names of its attributes that a kernel is made for.
    """

    kernel_settings: tuple[str, ...]

    def make_kernel(self) -> Kernel | None:
        """Return what takes its gradient steps without autograd; None if autograd must."""


class Kernel(abc.ABC):
    """Take gradient steps without autograd.

    A kernel holds memory of the algorithm's, but not the algorithm; it is made again when it is not
    there, or when something was moved, so it is no part of a run's state.

    Args:
        env_spec: of the environment.
        reward_scale: factor for rewards.
        optimizers: each with the flat form that it had when the kernel was made.

    Attributes:
        settings: of the algorithm, that it was made for.
    """

    settings: tuple[Any, ...] = ()

    def __init__(
        self,
        env_spec: EnvSpec,
        reward_scale: float,
        optimizers: Sequence[tuple[OptimizerWrapper, FlatAdam]],
    ) -> None:
        space = env_spec.observation_space
        self._space = None if isinstance(space, spaces.Box) and len(space.shape) == 1 else space
        self._reward_scale = np.float32(reward_scale)
        self._flat = [(weakref.ref(wrapper), flat) for wrapper, flat in optimizers]

    def is_current(self) -> bool:
        """Whether all memory still lies where it was found."""
        for reference, flat in self._flat:
            wrapper = reference()
            if wrapper is None or wrapper.flat_adam() is not flat:
                return False
        return True

    @abc.abstractmethod
    def update(self, algo: Accelerated, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        """Do what the algorithm's `_update` does."""

    def _rows(self, observations: np.ndarray) -> np.ndarray:
        """Lay observations out as shape (B, D), float32."""
        if self._space is None and observations.dtype == np.float32:
            return observations
        return flatten_observations(self._space, observations)  # type: ignore[arg-type]

    def _rewards(self, transitions: Transitions) -> np.ndarray:
        rewards = transitions["reward"]
        return rewards if self._reward_scale == 1.0 else rewards * self._reward_scale


_TERMINAL = int(StepType.TERMINAL)
_KERNELS: weakref.WeakKeyDictionary[Any, Kernel] = weakref.WeakKeyDictionary()


def kernel_of(algo: Accelerated) -> Kernel | None:
    """Return what takes an algorithm's gradient steps; None if autograd must."""
    kernel = _KERNELS.get(algo)
    settings = tuple([getattr(algo, name) for name in algo.kernel_settings])
    if kernel is not None and kernel.settings == settings and kernel.is_current():
        return kernel
    kernel = algo.make_kernel()
    if kernel is not None:
        kernel.settings = settings
        _KERNELS[algo] = kernel
    return kernel


def continues(transitions: Transitions) -> np.ndarray:
    """Return 0 where the episode terminated, else 1: shape (B,), bool."""
    found: np.ndarray = transitions["step_type"] != _TERMINAL
    return found


def mean(numbers: np.ndarray) -> float:
    """Average numbers, shape (B,), in a third of the time that their method takes."""
    return float(np.add.reduce(numbers)) / len(numbers)


def is_unchanged(algo: Any, cls: type, *names: str) -> bool:
    """Tell whether methods of an algorithm are those of a class of the framework."""
    return not overrides(algo, cls, *names)


def flat_forms(
    *wrappers: OptimizerWrapper,
) -> list[tuple[OptimizerWrapper, FlatAdam]] | None:
    """Return optimizers with their flat forms; None if one has none, or the fast path is off."""
    found = []
    for wrapper in wrappers:
        flat = wrapper.flat_adam() if wrapper.fast_path else None
        if flat is None:
            return None
        found.append((wrapper, flat))
    return found
