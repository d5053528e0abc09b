"""TensorFlow's variables and tensors out of band, with identity, dtype and name kept.

Used only where TensorFlow is loaded already; importing this module does not load it, so that a
restore can first load it as the run did that was saved.
"""

from __future__ import annotations

import functools
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from garage_like.snapshot.disk.dtypes import told_dtype
from garage_like.snapshot.kinds import tf_live
from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.kind import Pickling, Reducer


class TensorReducers:
    """How the objects of TensorFlow are pickled.

    Args:
        pickling: the pickle in the making.
    """

    def __init__(self, pickling: Pickling) -> None:
        self._pickling = pickling
        self._runtime = tf_live.runtime_module()

    def reducer_for(self, cls: type) -> Reducer | None:
        """Choose how values of a class are pickled; None: it is no class of TensorFlow's."""
        kind = kind_of(cls)
        return None if kind is None else getattr(self, f"_reduce_{kind}", None)

    def _reduce_variable(self, variable: Any) -> Any:
        if not is_eager(variable):
            return self._reduce_element(variable)
        value = variable.read_value()
        options = {name: getattr(variable, name) for name in _OPTIONS}
        extras = {
            name: option
            for name, option in options.items()
            if option is not None and getattr(option, "name", "") not in ("AUTO", "NONE")
        }
        static = None if variable.shape == value.shape else variable.shape
        arguments = (variable.name.partition(":")[0], variable.trainable, static, extras)
        content = self._content(variable, value)
        path = self._pickling.path_of(variable)
        return rebuild_variable, (self._runtime, *content, *arguments, path)

    def _reduce_tensor(self, tensor: Any) -> Any:
        return rebuild_tensor, (self._runtime, *self._content(tensor, tensor))

    def _content(self, owner: Any, tensor: Any) -> tuple[Any, str, tuple[int, ...]]:
        """Return the memory of a tensor, which is not copied, with its dtype and shape."""
        array, dtype, shape = np.asarray(tensor), tensor.dtype.name, tuple(tensor.shape)
        if array.dtype.hasobject or not array.nbytes:
            return array, dtype, shape
        kind = told_dtype(array.dtype)
        view = View(owner, kind, shape, 0, array.nbytes, tuple(range(len(shape))))
        self._pickling.announce([view])
        memory = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return pickle.PickleBuffer(memory.data), dtype, shape

    def _reduce_generator(self, generator: Any) -> Any:
        return rebuild_generator, (self._runtime, generator.state, int(generator.algorithm))

    def _reduce_function(self, function: Any) -> Any:
        python_function = function.python_function
        method: Any = getattr(python_function, "__original_wrapped__", None)
        target: Any = getattr(method, "__self__", None)
        if type(target).__name__ == "TfMethodTarget":  # a method decorated with tf.function
            return getattr, (target.target, method.__name__)
        options = {name: getattr(function, f"_{name}") for name in _FUNCTION_OPTIONS}
        options["input_signature"] = function.input_signature
        return rebuild_function, (self._runtime, python_function, options)

    def _reduce_wrapper(self, wrapper: Any) -> Any:
        return rebuild_wrapper, (type(wrapper), wrapper.__wrapped__)

    def _reduce_element(self, element: Any) -> Any:
        from garage_like.snapshot.kinds import tf_sessions

        return tf_sessions.reduce_element(element)

    def _reduce_graph(self, graph: Any) -> Any:
        from garage_like.snapshot.kinds import tf_sessions

        reduced = tf_sessions.reduce_graph(graph, self._runtime)
        variables = tf_sessions.variables_of(graph)
        for name, value in reduced[2].items():
            self._pickling.stand_in(value, variables[name])
        return reduced

    def _reduce_session(self, session: Any) -> Any:
        from garage_like.snapshot.kinds import tf_sessions

        return tf_sessions.reduce_session(session)


_OPTIONS = ("constraint", "synchronization", "aggregation")
_FUNCTION_OPTIONS = ("autograph", "jit_compile", "reduce_retracing")


def _kind_of(cls: type) -> str | None:
    tf: Any = sys.modules.get("tensorflow")
    if not hasattr(tf, "Variable"):  # not loaded, or not to the end
        return None
    if cls.__module__.startswith("tensorflow."):
        kind = _KINDS.get(cls.__name__)
        if kind is not None:
            return kind
    return "trackable" if issubclass(cls, tf.__internal__.tracking.AutoTrackable) else None


kind_of: Callable[[type], str | None] = functools.lru_cache(1024)(_kind_of)
"""Return what a class of TensorFlow's is: 'variable', 'tensor' …; None if it is none of them.

Loads nothing. Exotic kinds, such as variables spread over devices, are none of them.
"""

_KINDS = {
    "ResourceVariable": "variable",
    "RefVariable": "element",
    "_UnreadVariable": "element",
    "EagerTensor": "tensor",
    "SymbolicTensor": "element",
    "Operation": "element",
    "Graph": "graph",
    "Session": "session",
    "InteractiveSession": "session",
    "Generator": "generator",
    "Function": "function",
    "ListWrapper": "list",
    "_DictWrapper": "wrapper",
    "_TupleWrapper": "wrapper",
}


def is_eager(variable: Any) -> bool:
    """Tell whether a variable has its value in this process, not in a session."""
    return hasattr(variable.handle, "numpy")


def rebuild_variable(
    runtime: Any,
    content: Any,
    dtype: str,
    shape: tuple[int, ...],
    name: str,
    trainable: bool,
    static_shape: Any,
    extras: Mapping[str, Any],
    path: str | None,
) -> Any:
    """Build a variable, or choose the live one at its path: it gets the value once all is loaded.

    Args:
        runtime: a module; that it is loaded by now is what it is for.
        content: bytes, or an array of strings or without elements.
        dtype: of the variable, by name.
        shape: of its value.
        name: of the variable.
        trainable: whether tapes watch it.
        static_shape: that it was declared with, if wider than the shape of its value.
        extras: its other options.
        path: in the object graph.
    """
    tf = _tensorflow()
    value = _array(tf, content, dtype, shape)
    live = None if path is None else tf_live.take(path, dtype, shape)
    if live is not None:
        tf_live.assign_later(live, value)
        return live
    with tf_live.eager(tf):
        return tf.Variable(
            value,
            dtype=dtype,
            name=name,
            trainable=trainable,
            shape=static_shape,
            **extras,
        )


def rebuild_tensor(runtime: Any, content: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    """Build a tensor; see `rebuild_variable`."""
    tf = _tensorflow()
    with tf_live.eager(tf):
        return tf.constant(_array(tf, content, dtype, shape), dtype)


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow


def _array(tf: Any, content: Any, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if isinstance(content, np.ndarray) and (content.dtype.hasobject or not content.nbytes):
        return content
    return np.frombuffer(content, np.uint8).view(tf.as_dtype(dtype).as_numpy_dtype).reshape(shape)


def rebuild_generator(runtime: Any, state: Any, algorithm: int) -> Any:
    """Build a generator of random numbers on its state, a variable."""
    return _tensorflow().random.Generator(state=state, alg=algorithm)


def rebuild_function(runtime: Any, python_function: Any, options: dict[str, Any]) -> Any:
    """Decorate a function with tf.function again; traces are made again when it is called."""
    return _tensorflow().function(python_function, **options)


def rebuild_wrapper(cls: Any, wrapped: Any) -> Any:
    """Wrap a dict or tuple as tf.Module does."""
    return cls(wrapped)


def tensor_bytes(value: Any) -> bytes:
    """Return the bytes of the elements of a tensor or variable."""
    array = np.asarray(value.read_value() if hasattr(value, "read_value") else value)
    return repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()


def describe(value: Any) -> str | None:
    """Return dtype and shape of a tensor or variable with a value, else None."""
    kind = kind_of(type(value))
    if kind != "tensor" and not (kind == "variable" and is_eager(value)):
        return None
    trainable = " trainable" if getattr(value, "trainable", False) else ""
    return f"{value.dtype.name}{tuple(value.shape)}{trainable}"


def is_tensor_class(cls: type) -> bool:
    """Tell whether a class is one of tensors and variables with bytes of their own."""
    return kind_of(cls) in ("variable", "tensor") or cls.__name__ == "RefVariable"
