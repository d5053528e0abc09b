"""The library of gradient steps in C: whether there is one here, and what it takes."""

from __future__ import annotations

import ctypes
import functools
import importlib.machinery
import importlib.util
import os
from collections.abc import Sequence
from ctypes import POINTER, c_double, c_float, c_int32, c_int64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.configuration.computed_by import COMPUTED_BY

VERSION = 7
"""Of the structures below: as STEPS_VERSION in steps.h."""

BITS = 5
"""Of the bits of a gradient step: goes up where another version would give others."""

OFF = "GARAGE_LIKE_FAST_PATH"
"""The variable: `numpy` does without the library, and 0 without analytic gradients."""

_EXTENSION = Path(__file__).parents[2] / "torch" / "kernels" / "compiled" / "_steps"
_MOST_LAYERS = 8
_LEVELS = {512: "avx512", 256: "avx2"}
CATEGORICAL, GAUSSIAN, VALUE = range(3)


class Shape(ctypes.Structure):
    """The widths of a perceptron's layers."""

    _fields_ = (
        ("layers", c_int32),
        ("is_tanh", c_int32),
        ("widths", c_int32 * (_MOST_LAYERS + 1)),
    )


class Adam(ctypes.Structure):
    """The options of Adam, or of AdamW if it is decoupled."""

    _fields_ = (
        *((name, c_double) for name in ("learning_rate", "beta1", "beta2", "eps", "decay")),
        ("decoupled", c_int32),
    )


class Moved(ctypes.Structure):
    """All parameters of an optimizer, and its slots."""

    _fields_ = (
        *((name, c_void_p) for name in ("parameters", "gradient", "first", "second")),
        ("size", c_int64),
        ("steps", c_int64),
    )


class OnPolicy(ctypes.Structure):
    """One update of a policy or of a value function."""

    _fields_ = (
        ("shape", Shape),
        ("adam", Adam),
        ("moved", Moved),
        ("network", c_int64),
        ("log_std", c_int64),
        ("fixed_log_std", c_void_p),
        ("head", c_int32),
        ("lowest", c_float),
        ("highest", c_float),
        ("clip_range", c_float),
        ("entropy_coefficient", c_float),
        ("rows", c_int64),
        ("passes", c_int32),
        ("pieces", c_int32),
        *((name, c_void_p) for name in ("order", "observations", "actions", "wanted")),
        ("old_log_probs", c_void_p),
    )


class SoftStep(ctypes.Structure):
    """One gradient step of SAC's Q-functions and policy."""

    _fields_ = (
        ("policy_shape", Shape),
        ("critic_shape", Shape),
        ("policy_adam", Adam),
        ("critic_adam", Adam),
        ("policy", Moved),
        ("critics", Moved),
        ("policy_at", c_int64),
        ("critic_at", c_int64 * 2),
        ("targets", c_void_p * 2),
        ("centre", c_void_p),
        ("scale", c_void_p),
        *((name, c_float) for name in ("lowest", "highest", "constant")),
        *((name, c_float) for name in ("discount", "reward_scale", "alpha")),
        ("rows", c_int32),
        *((name, c_void_p) for name in ("observations", "next_observations")),
        *((name, c_void_p) for name in ("actions", "noise", "next_noise")),
        *((name, c_void_p) for name in ("rewards", "continues", "weights", "errors", "means")),
    )


class QStep(ctypes.Structure):
    """One gradient step of DQN."""

    _fields_ = (
        ("shape", Shape),
        ("adam", Adam),
        ("moved", Moved),
        ("network", c_int64),
        ("target", c_void_p),
        *((name, c_int32) for name in ("rows", "double_q")),
        *((name, c_float) for name in ("discount", "clip")),
        *((name, c_void_p) for name in ("observations", "next_observations", "actions")),
        *((name, c_void_p) for name in ("rewards", "continues", "weights", "errors", "means")),
    )


class Pass(ctypes.Structure):
    """A perceptron on a batch, forwards or backwards."""

    _fields_ = (
        ("shape", Shape),
        ("weights", c_void_p),
        ("gradient", c_void_p),
        ("rows", c_int32),
        *((name, c_void_p) for name in ("inputs", "outputs", "delta", "by_inputs", "room")),
    )


class Look(ctypes.Structure):
    """A perceptron that is only looked through."""

    _fields_ = (
        ("shape", Shape),
        ("weights", c_void_p * _MOST_LAYERS),
        ("biases", c_void_p * _MOST_LAYERS),
    )


class QuantileLoss(ctypes.Structure):
    """Quantiles against targets."""

    _fields_ = (
        *((name, c_int32) for name in ("rows", "quantiles", "each", "targets")),
        *((name, c_void_p) for name in ("values", "wanted", "losses", "slopes")),
    )


class Steps:
    """The functions of the library, for one width of vectors.

    Args:
        path: of the extension.
        bits: of a vector, 512 or 256; None for the most that the processor has. Results are the
            same bits.

    Raises:
        OSError: if the extension is of another version, or the processor too old.
    """

    def __init__(self, path: str, bits: int | None = None) -> None:
        functions = ctypes.CDLL(path)
        if functions.steps_version() != VERSION:
            raise OSError(f"{path}: compiled from other sources; install the package again")
        widest = functions.widest()
        if not widest:
            raise OSError("gradient steps in C need a processor with AVX2")
        self.bits = min(bits or widest, widest)
        level = _LEVELS[self.bits]
        self.forward_pass, self.backward_pass = (
            _function(functions, f"{name}_{level}", Pass, None)
            for name in ("forward_pass", "backward_pass")
        )
        self.numbers_of_pass = _function(functions, f"numbers_of_pass_{level}", Pass, c_int64)
        self.on_policy, self.soft_step, self.q_step, self.quantile_loss = (
            _function(functions, f"{name}_{level}", structure, _status)
            for name, structure in (
                ("on_policy", OnPolicy),
                ("soft_step", SoftStep),
                ("q_step", QStep),
                ("quantile_loss", QuantileLoss),
            )
        )
        self.look = _module(path).look


def _function(functions: Any, name: str, structure: Any, result: Any) -> Any:
    """Return a function of a structure."""
    function = functions[name]
    function.argtypes, function.restype = [POINTER(structure)], result
    return function


def _status(failed: int) -> None:
    """Raise if a function could not do its work; it has changed nothing then."""
    if failed == 2:
        raise IndexError("a minibatch has an action that the network has no output for")
    if failed:
        raise MemoryError("there is no memory for a gradient step")


def extension() -> str | None:
    """Return the path of the extension; None if it was not compiled."""
    paths = [f"{_EXTENSION}{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES]
    return next(filter(os.path.exists, paths), None)


def _module(path: str) -> Any:
    """Load the extension from where it lies: its package would bring torch along."""
    loader = importlib.machinery.ExtensionFileLoader("_steps", path)
    spec = importlib.util.spec_from_file_location("_steps", path, loader=loader)
    assert spec is not None, "a loader was given"
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def is_in_use() -> bool:
    """Tell whether new optimizers use the library: if there is one, and nothing forbids it."""
    return os.environ.get(OFF) not in ("0", "numpy") and steps() is not None


COMPUTED_BY["gradient_steps"] = lambda: f"C, version {BITS}" if is_in_use() else "NumPy"


@functools.cache
def steps() -> Steps | None:
    """Return the library; None where NumPy has to do."""
    path = extension()
    try:
        return None if path is None else Steps(path)
    except (OSError, AttributeError, ImportError):  # no such function: of other sources
        return None


def address_of(array: np.ndarray) -> int:
    """Return where an array's numbers lie, in a quarter of the time that its `ctypes` takes."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    except (TypeError, ValueError):  # it cannot be written to, or has none
        return array.ctypes.data


def shape_of(widths: Sequence[int], is_tanh: bool) -> Shape | None:
    """Return the shape of a perceptron, inputs first; None if it has too many layers."""
    if len(widths) > _MOST_LAYERS + 1:
        return None
    return Shape(len(widths) - 1, is_tanh, (c_int32 * (_MOST_LAYERS + 1))(*widths))
