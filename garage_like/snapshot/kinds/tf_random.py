"""The random numbers of TensorFlow and Keras: what can be saved, and what cannot.

TensorFlow's older random operations (`tf.random.normal` and its kin) keep their counters inside the
runtime, where nothing can read them once a function is traced. A run that has traced one cannot be
continued exactly, and says so. `tf.random.Generator`, stateless operations and Keras's seed
generators can be saved.

Used only where TensorFlow is loaded already.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.tf_live import eager, runtime_module

HIDDEN_COUNTERS = frozenset(
    (
        *("RandomUniform", "RandomUniformInt", "RandomStandardNormal", "TruncatedNormal"),
        *("ParameterizedTruncatedNormal", "RandomGamma", "RandomPoisson", "RandomPoissonV2"),
        *("RandomShuffle", "Multinomial", "RandomCrop", "SampleDistortedBoundingBox"),
        *("SampleDistortedBoundingBoxV2", "AllCandidateSampler", "UniformCandidateSampler"),
        *("LogUniformCandidateSampler", "LearnedUnigramCandidateSampler"),
        *("FixedUnigramCandidateSampler", "ThreadUnsafeUnigramCandidateSampler"),
    )
)
"""Operations that count what they have drawn where nothing can read it."""

_KERAS = "global_seed_generator"


def get_state() -> dict[str, Any]:
    """Return the seed, and the states of the global generators that are in use."""
    from tensorflow.python.eager import context
    from tensorflow.python.ops import stateful_random_ops

    runtime = context.context()
    seeds = getattr(runtime, "_rng", None)
    generator = stateful_random_ops.global_generator
    keras = _keras_attribute()
    return {
        "runtime": runtime_module(),
        "seed": runtime._seed,
        "seeds": None if seeds is None else seeds.getstate(),
        "generator": None
        if generator is None
        else (int(generator.algorithm), generator.state.numpy()),
        "keras": None if keras is None else keras.state.value.numpy(),
    }


def set_state(state: dict[str, Any]) -> None:
    """Set the seed and the global generators to what `get_state` returned."""
    import tensorflow as tf
    from tensorflow.python.eager import context
    from tensorflow.python.ops import stateful_random_ops

    runtime = context.context()
    runtime._set_global_seed(state["seed"])  # also forgets operations that have counted
    if state["seeds"] is None:
        runtime._rng = None
    else:
        runtime._rng.setstate(state["seeds"])
    with eager(tf):
        if state["generator"] is None:
            stateful_random_ops.global_generator = None
        else:
            _set_global_generator(tf, stateful_random_ops, *state["generator"])
        _set_keras_state(state["keras"])


def _set_global_generator(tf: Any, module: Any, algorithm: int, numbers: np.ndarray) -> None:
    """Set the live generator in place if it is of the same kind: traced functions hold it."""
    live = module.global_generator
    if live is not None and int(live.algorithm) == algorithm:
        live.state.assign(numbers)
    else:
        module.global_generator = tf.random.Generator.from_state(numbers, algorithm)


def _keras_attribute() -> Any:
    keras = sys.modules.get("keras.src.backend.common.global_state")
    return None if keras is None else keras.get_global_attribute(_KERAS)


def _set_keras_state(numbers: np.ndarray | None) -> None:
    if numbers is None:
        if _keras_attribute() is not None:
            sys.modules["keras.src.backend.common.global_state"].set_global_attribute(_KERAS, None)
        return
    from keras.src.random.seed_generator import global_seed_generator

    global_seed_generator().state.assign(numbers)


def why_inexact() -> list[str]:
    """Return why this process cannot be continued exactly: each traced operation that hides it."""
    from tensorflow.python.eager import context

    runtime = context.context()
    if runtime._context_handle is None:  # nothing has run yet
        return []
    is_seeded = runtime._seed is not None
    found = {
        reason
        for name in runtime.list_function_names()
        for reason in _hidden_in(name, is_seeded, runtime.function_scope_id)
    }
    return sorted(found)


@functools.lru_cache(100_000)
def _hidden_in(function: str, is_seeded: bool, runtime: int) -> tuple[str, ...]:
    """Return the reasons in one function that is registered; looks at each only once."""
    if function.startswith("__wrapped__"):  # one operation outside of any function
        operation = function.removeprefix("__wrapped__").partition("_device_")[0]
        if is_seeded or operation not in HIDDEN_COUNTERS:
            return ()
        return (f"TensorFlow: {operation} was run without a seed; call set_seed first",)
    from tensorflow.python.eager import context

    nodes = context.context().get_function_def(function).node_def
    where = function.removeprefix("__inference_").removeprefix("__forward_").rpartition("_")[0]
    return tuple(
        f"TensorFlow: {node.op} in the traced function {where or function} keeps its counter where"
        " it cannot be saved; use tf.random.Generator or tf.random.stateless_*"
        for node in nodes
        if node.op in HIDDEN_COUNTERS
    )
