"""traced: a tf.function that objects may have as a method and yet be pickled.

A trace holds the variables that it reads, the shapes that it was made for and the Python values of
its day; none of that belongs into a snapshot. So traces are kept beside an object's state, stay
out of pickles and copies, and are made again when the method is next called.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
import weakref
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from garage_like.tf.quiet_import import tf

_TRACES = "_traces"


class traced:  # noqa: N801
    """Decorate a function or method of tensors, so that it runs as a TensorFlow graph.

    All arguments are tensors or arrays, or tuples of them. Their first axes may be of any length
    from call to call: a batch of another size needs no new trace; another dtype, rank or shape of
    the rest does. What is not an argument is read when the function is traced, and variables each
    time it runs; if a plain attribute of its object that a method reads is another one later, a
    discount say, the method is traced again.

    Args:
        python_function: what is traced, as it stands (TensorFlow's AutoGraph is off).
        input_signature: a tf.TensorSpec for each argument, in place of the above.
        jit_compile: compile the trace with XLA; it compiles again for each size of the batch.
    """

    def __init__(
        self,
        python_function: Callable[..., Any] | None = None,
        *,
        input_signature: Sequence[tf.TensorSpec] | None = None,
        jit_compile: bool = False,
    ) -> None:
        self.python_function = python_function
        self.options: dict[str, Any] = {
            "input_signature": input_signature,
            "jit_compile": jit_compile,
        }
        self.is_method = False
        self._traces = Traces(self)
        if python_function is not None:
            functools.update_wrapper(self, python_function)

    def __set_name__(self, owner: type, name: str) -> None:
        self.is_method = True

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to an instance, as functions do."""
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any) -> Any:
        """Run the trace for the arguments, which is made if there is none yet."""
        if self.python_function is None:  # in `@traced(jit_compile=True)`
            return type(self)(args[0], **self.options)
        if not self.is_method:
            return self._traces.run(self, self.python_function, args, self.options)
        instance, *tensors = args
        function = functools.partial(self.python_function, instance)
        traces = traces_of(instance)
        traces.hold_for(self, settings_read(instance, self.python_function))
        return traces.run(self, function, tensors, self.options)

    def __reduce__(self) -> Any:
        function = self.python_function
        module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
        if module != "__main__" and _found(module, name) is self:
            return name
        return _rebuild, (function, self.options, self.is_method)


class Traces:
    """The traces of one object: left out of its pickles and copies.

    Args:
        owner: the object.
    """

    __slots__ = ("_functions", "_owner", "_settings")
    __slotnames__ = ()  # what `copyreg` lists for pickling, and a snapshot looks for names in

    def __init__(self, owner: Any = None) -> None:
        self._owner = None if owner is None else weakref.ref(owner)
        self._functions: dict[Any, Any] = {}
        self._settings: dict[Any, Any] = {}

    def hold_for(self, key: Any, settings: Any) -> None:
        """Forget the traces of a function that were made for other settings."""
        if self._settings.get(key) != settings:
            self._settings[key] = settings
            self._functions = {
                made: function
                for made, function in self._functions.items()
                if (made[0] if isinstance(made, tuple) else made) != key
            }

    def belong_to(self, owner: Any) -> bool:
        """Tell whether these are an object's own, not those of one that it is a copy of."""
        return self._owner is not None and self._owner() is owner

    def run(
        self, key: Any, function: Callable[..., Any], tensors: Sequence[Any], options: Any = None
    ) -> Any:
        """Call a function as a graph, traced once for each kind of arguments.

        Args:
            key: what the function is remembered by.
            function: used if it is not remembered.
            tensors: its arguments.
            options: `input_signature` and `jit_compile`, as `traced` takes them.
        """
        options = options or {}
        if isinstance(key, types.MethodType):
            self.hold_for(key, settings_read(key.__self__, key.__func__))
        signature = options.get("input_signature")
        if signature is None:
            tensors = [
                t if isinstance(t, tuple) or hasattr(t, "dtype") else np.asarray(t) for t in tensors
            ]
            leaves = tf.nest.flatten(list(tensors))
            key = (key, *[(t.dtype, tuple(t.shape)[1:], len(t.shape)) for t in leaves])
        else:
            leaves = tensors
        found = self._functions.get(key)
        if found is None:
            signature = signature or tf.nest.map_structure(_any_length, list(tensors))
            found = self._functions[key] = _Flat(function, list(signature), options)
        return found(leaves)

    def __reduce__(self) -> Any:
        return Traces, ()


class _Flat:
    """A function as a graph that takes all tensors in a row.

    `tf.function` finds out anew at each call which of its graphs the arguments are for, which takes
    longer than a small gradient step. Here there is one graph.

    Args:
        function: as `Traces.run` has it.
        signature: its arguments.
        options: as `Traces.run` has them.
    """

    def __init__(self, function: Callable[..., Any], signature: list[Any], options: Any) -> None:
        self._specs = tf.nest.flatten(signature)

        def flat(*leaves: Any) -> Any:
            return function(*tf.nest.pack_sequence_as(signature, leaves))

        self._function = tf.function(
            flat, jit_compile=options.get("jit_compile") or None, autograph=False
        )
        self._graph = self._function.get_concrete_function(*self._specs)

    def __call__(self, leaves: Sequence[Any]) -> Any:
        pairs = zip(leaves, self._specs, strict=True)
        return self._graph(*[_as_tensor(leaf, spec.dtype) for leaf, spec in pairs])


def traces_of(owner: Any) -> Traces:
    """Return the traces of an object; none yet, if it has just been made, loaded or copied."""
    found = vars(owner).get(_TRACES)
    if found is None or not found.belong_to(owner):
        found = vars(owner)[_TRACES] = Traces(owner)
    return found


def _as_tensor(value: Any, dtype: tf.DType) -> Any:
    return value if isinstance(value, tf.Tensor) else tf.constant(value, dtype)


def settings_read(instance: Any, function: Any) -> list[tuple[str, Any]]:
    """Return the plain attributes of an object that a method of its class reads."""
    own, cls = getattr(instance, "__dict__", {}), cast("Any", type(instance))
    names = _names_read(cls, getattr(function, "python_function", function))
    return [(n, own[n]) for n in names if n in own and isinstance(own[n], _PLAIN)]


_PLAIN = (bool, int, float, str, type(None))


@functools.lru_cache(1000)
def _names_read(cls: type, function: Any) -> tuple[str, ...]:
    """Return the names in the code of a method, and in that of the methods that it names."""
    names: dict[str, None] = {}
    waiting: list[Any] = [code for code in [getattr(function, "__code__", None)] if code]
    while waiting:
        code = waiting.pop()
        waiting += [inner for inner in code.co_consts if isinstance(inner, types.CodeType)]
        for name in set(code.co_names) - names.keys():
            names[name] = None
            for held in [vars(base).get(name) for base in cls.__mro__]:  # by `super()`, too
                for unwrapped in ("fget", "__func__", "python_function"):
                    held = getattr(held, unwrapped, None) or held
                waiting += [held.__code__] if isinstance(held, types.FunctionType) else []
    return tuple(sorted(names))


def _any_length(tensor: Any) -> tf.TensorSpec:
    shape = tuple(tensor.shape)
    return tf.TensorSpec((None, *shape[1:]) if shape else (), tensor.dtype)


def _found(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = inspect.getattr_static(found, part, None)
    return found.__func__ if isinstance(found, staticmethod) else found


def _rebuild(function: Callable[..., Any], options: dict[str, Any], is_method: bool) -> traced:
    rebuilt = traced(function, **options)
    rebuilt.is_method = is_method
    return rebuilt
