"""TensorFlow: variables, tensors, graphs of version 1; what does the work is in `tf_*`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from garage_like.snapshot.kinds import tf_arrays, tf_live
from garage_like.snapshot.kinds.attributes import Part, PartsFunction
from garage_like.snapshot.kinds.kind import Kind, Pickling, Reducer, digest_of_bits


class TensorFlowKind(Kind):
    """TensorFlow, eager or with sessions."""

    name = "tensorflow"
    modules = ("tensorflow",)
    versions = ("tensorflow",)
    variables = ("TF_ENABLE_ONEDNN_OPTS",)

    def is_loaded(self) -> bool:
        """Tell whether TensorFlow is loaded, and to the end."""
        return hasattr(sys.modules.get("tensorflow"), "Variable")

    def claims(self, cls: type) -> bool:
        """Tell whether a class is one of those of TensorFlow's that hold something."""
        return tf_arrays.kind_of(cls) is not None

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        """Return what reduces variables and tensors, and what holds them."""
        return pickling.own(tf_arrays.TensorReducers).reducer_for(cls)

    def restoring(
        self, objects: Callable[[], Iterable[Part]]
    ) -> contextlib.AbstractContextManager[Any]:
        """Return what offers live variables, which traced functions hold."""
        return tf_live.offering(objects()) if self.is_loaded() else contextlib.nullcontext()

    def is_named(self, cls: type) -> bool:
        """Tell whether a class is one of tensors and variables with bytes of their own."""
        return tf_arrays.is_tensor_class(cls)

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        """Return what finds the parts of TensorFlow's objects."""
        return tf_arrays.parts_function(cls, as_pickled=as_pickled)

    def digest(self, value: Any) -> str | None:
        """Return type, shape and digest of a tensor or variable with a value."""
        described = tf_arrays.describe(value)
        if described is None:
            return None
        return f"{described}:{digest_of_bits(tf_arrays.tensor_bytes(value))}"

    def rng_state(self) -> dict[str, Any]:
        """Return the seed, and the states of the global generators that are in use."""
        from garage_like.snapshot.kinds import tf_random

        return {self.name: tf_random.get_state()}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        """Set the seed and the global generators; those of Keras, too."""
        if self.name in state:
            from garage_like.snapshot.kinds import tf_random

            tf_random.set_state(state[self.name])

    def why_inexact(self) -> list[str]:
        """Return which operations keep their counters where they cannot be saved."""
        from garage_like.snapshot.kinds import tf_random, tf_sessions

        return tf_random.why_inexact() + tf_sessions.why_default_session_is_inexact()

    def fingerprint(self) -> dict[str, Any]:
        """Return threads and flags; it has no public way to ask for some of them."""
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
        """Tell whether a value is a variable that has its numbers in this process."""
        return tf_arrays.kind_of(type(value)) == "variable" and tf_arrays.is_eager(value)

    def assign(self, value: Any, numbers: np.ndarray) -> None:
        """Write numbers into a variable."""
        value.assign(numbers.astype(value.dtype.as_numpy_dtype))
