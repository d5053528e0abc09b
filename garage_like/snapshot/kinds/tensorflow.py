"""TensorFlow: variables, tensors, graphs of version 1; what does the work is in `tf_*`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from garage_like.snapshot.kinds import tf_arrays, tf_live
from garage_like.snapshot.kinds.attributes import Part, PartsFunction, labelled
from garage_like.snapshot.kinds.kind import Kind, Pickling, Reducer, digest_of_bits


class TensorFlowKind(Kind):
    """TensorFlow, eager or with sessions."""

    name = "tensorflow"
    modules = ("tensorflow",)
    versions = ("tensorflow",)
    variables = ("TF_ENABLE_ONEDNN_OPTS",)

    def is_loaded(self) -> bool:
        return hasattr(sys.modules.get("tensorflow"), "Variable")

    def claims(self, cls: type) -> bool:
        return tf_arrays.kind_of(cls) is not None

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        return pickling.own(tf_arrays.TensorReducers).reducer_for(cls)

    def restoring(
        self, objects: Callable[[], Iterable[Part]]
    ) -> contextlib.AbstractContextManager[Any]:
        return tf_live.offering(objects()) if self.is_loaded() else contextlib.nullcontext()

    def is_named(self, cls: type) -> bool:
        return tf_arrays.is_tensor_class(cls)

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        if tf_arrays.kind_of(cls) == "graph":
            return _graph_values if as_pickled else _graph_variables
        return _parts

    def digest(self, value: Any) -> str | None:
        described = tf_arrays.describe(value)
        if described is None:
            return None
        return f"{described}:{digest_of_bits(tf_arrays.tensor_bytes(value))}"

    def rng_state(self) -> dict[str, Any]:
        from garage_like.snapshot.kinds import tf_random

        return {self.name: tf_random.get_state()}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        if self.name in state:
            from garage_like.snapshot.kinds import tf_random

            tf_random.set_state(state[self.name])

    def why_inexact(self) -> list[str]:
        from garage_like.snapshot.kinds import tf_random, tf_sessions

        return tf_random.why_inexact() + tf_sessions.why_default_session_is_inexact()

    def fingerprint(self) -> dict[str, Any]:
        from tensorflow.python.framework import config
        from tensorflow.python.util import _pywrap_util_port

        tf = sys.modules["tensorflow"]
        return {
            "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
            "onednn": bool(_pywrap_util_port.IsMklEnabled()),
            "op_determinism": bool(config.is_op_determinism_enabled()),
            "tensor_float_32": bool(tf.config.experimental.tensor_float_32_execution_enabled()),
            "jit": str(tf.config.optimizer.get_jit()),
        }

    def takes_weights(self, value: Any) -> bool:
        return tf_arrays.kind_of(type(value)) == "variable" and tf_arrays.is_eager(value)

    def assign(self, value: Any, numbers: np.ndarray) -> None:
        value.assign(numbers.astype(value.dtype.as_numpy_dtype))


def _graph_values(graph: Any) -> list[Part]:
    from garage_like.snapshot.kinds import tf_sessions

    return labelled(tf_sessions.get_default_values(graph))


def _graph_variables(graph: Any) -> list[Part]:
    from garage_like.snapshot.kinds import tf_sessions

    return labelled(tf_sessions.variables_of(graph))


def _parts(value: Any) -> list[Part]:
    kind = tf_arrays.kind_of(type(value))
    if kind == "generator":
        return [(".state", value.state)]
    if kind == "function":
        return [(".python_function", value.python_function)]
    if kind == "wrapper":
        return [("", value.__wrapped__)]
    if kind == "session":
        return [("", value.graph)]
    if kind == "list":
        return [(f"[{i}]", v) for i, v in enumerate(value)]
    if kind == "trackable":
        return [(f".{name}", v) for name, v in vars(value).items() if not name.startswith("_self_")]
    return []
