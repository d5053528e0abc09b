"""What the code of environments depends on and no snapshot holds; read off, and never run.

Looked at is code of the user's: libraries in C, the clock and what else the system tells, which
object lies where, and in which order a set of texts comes.
"""

from __future__ import annotations

import ast
import dis
import inspect
import random
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from garage_like.data.env_layers import layers_of
from garage_like.snapshot.graph.own_code import is_own_class, is_own_file
from garage_like.snapshot.kinds.registry import KINDS

_IDENTITIES = ("id", "hash")
_OF_OBJECTS = ("__hash__", "__eq__", "__repr__", "__deepcopy__", "__del__")
_SHOWN = ("render", "close")
_READERS = {
    "time": "time time_ns localtime gmtime ctime asctime strftime monotonic monotonic_ns"
    " perf_counter perf_counter_ns process_time process_time_ns",
    "datetime": "now utcnow today",
    "secrets": "choice randbelow randbits token_bytes token_hex token_urlsafe",
    "uuid": "uuid1 uuid4",
    "posix": "urandom getrandom getpid getppid times getloadavg",
    "nt": "urandom getpid getppid times",
    "os": "urandom getpid getppid times",
}
_IN_ORDER = ("list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed")
_BY_ITS_ORDER = ("choice", "array", "fromiter", "asarray", "join", "pop", "extend")

Held = Mapping[str, Any]


def foreign_state(env: Any, attributes: Held) -> str | None:
    """Return what the code of an environment's own classes depends on and no snapshot holds.

    Args:
        env: an environment.
        attributes: all that it reaches, by path.
    """
    for path, value in attributes.items():
        if isinstance(value, random.SystemRandom):
            return f"its attribute {path.lstrip('.')} draws from the system, which nobody can save"
    for function in _functions(env, attributes):
        reason = _identity_or_c(function) or _told_by_the_system(function) or _order(function, env)
        if reason is not None:
            return reason
    return None


def is_unordered(value: Any) -> bool:
    """Tell whether a set that holds a value has another order in each process."""
    if isinstance(value, tuple | frozenset):
        return any(map(is_unordered, value))
    if isinstance(value, str | bytes):
        return bool(sys.flags.hash_randomization)
    return type(value).__hash__ is object.__hash__ or isinstance(value, type)


# ---- which code it is -------------------------------------------------------------------------


def _functions(env: Any, attributes: Held) -> Iterator[types.FunctionType]:
    """Yield the methods of an environment's own classes, and functions that they call."""
    waiting: list[Any] = []
    for layer in layers_of(env):
        waiting += [getattr(held, "func", held) for held in getattr(layer, "__dict__", {}).values()]
        for cls in type(layer).__mro__:
            if not KINDS.knows(cls) and cls.__module__ not in ("builtins", "typing", "abc"):
                waiting += _methods(cls)
    held = {cls for value in attributes.values() for cls in type(value).__mro__}
    waiting += [method for cls in held if is_own_class(cls) for method in _methods(cls)]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        value = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if not isinstance(value, types.FunctionType) or id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        module = value.__module__
        called = [found for _, found in _looked_up(value)]
        waiting += [
            f
            for f in called
            if getattr(f, "__module__", None) == module
            or (isinstance(f, types.FunctionType) and is_own_file(f.__code__.co_filename))
        ]


def _methods(cls: type) -> list[Any]:
    left_out = (*_OF_OBJECTS, *_SHOWN)
    return [value for name, value in vars(cls).items() if name not in left_out]


def _looked_up(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what code looks up beside its own variables: `time`, `time.time`; and what that is."""
    for code in _codes(function.__code__):
        name, value = "", None
        own: dict[str, Any] = {}  # what it imports itself
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                name = str(step.argval)
                value = function.__globals__.get(name)
            elif step.opname == "LOAD_FAST" and step.argval in own:
                name, value = str(step.argval), own[step.argval]
            elif step.opname == "IMPORT_NAME":
                name, value = step.argval, sys.modules.get(step.argval)
            elif step.opname == "IMPORT_FROM":
                own[step.argval] = getattr(value, step.argval, None)
                name, value = step.argval, own[step.argval]
            elif step.opname == "STORE_FAST" and name:
                own[step.argval] = value
                name, value = "", None
                continue
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and _has_parts(value):
                name, value = f"{name}.{step.argval}", getattr(value, step.argval, None)
            else:
                if step.opname not in ("CACHE", "PRECALL", "PUSH_NULL", "EXTENDED_ARG"):
                    name, value = "", None
                continue
            yield name, value


def _has_parts(value: Any) -> bool:
    return isinstance(value, types.ModuleType | type | random.SystemRandom)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


# ---- identity, libraries in C, the system -------------------------------------------------------


def _identity_or_c(function: types.FunctionType) -> str | None:
    for name, value in _looked_up(function):
        if name in _IDENTITIES and name not in function.__globals__:
            return f"{function.__qualname__} calls {name}(), which differs in each process"
        if "." not in name and _is_of_c(value):
            return _calls_c(function, name)
    for name in _imported(function.__code__):
        if _is_of_c(name):
            return _calls_c(function, name)
    return None


def _imported(code: types.CodeType) -> Iterator[str]:
    for part in _codes(code):
        for step in dis.get_instructions(part):
            if step.opname == "IMPORT_NAME":
                yield str(step.argval)


def _is_of_c(value: Any) -> bool:
    """Tell whether a module calls libraries in C, or a class or object is of such a module."""
    if isinstance(value, types.ModuleType):
        value = value.__name__
    elif not isinstance(value, str | type):
        value = type(value)
    module = value if isinstance(value, str) else value.__module__
    return module.partition(".")[0] in ("ctypes", "_ctypes", "cffi", "_cffi_backend")


def _calls_c(function: types.FunctionType, name: str) -> str:
    return (
        f"{function.__qualname__} calls a library in C through {name}, whose state nobody can save"
    )


def _told_by_the_system(function: types.FunctionType) -> str | None:
    if not is_own_file(function.__code__.co_filename):
        return None  # a library's code measures how long something takes
    for name, value in _looked_up(function):
        if isinstance(value, random.SystemRandom) or value is random.SystemRandom:
            return _asks(function, name)
        owner = getattr(value, "__self__", None)
        home = owner if isinstance(owner, type) else value
        module = getattr(home, "__module__", None)
        called = getattr(value, "__name__", "")
        if module in _READERS and callable(value) and called in _READERS[module].split():
            return _asks(function, name)
    return None


def _asks(function: types.FunctionType, name: str) -> str:
    return f"{function.__qualname__} calls {name}, which answers otherwise after a resume"


# ---- the order of sets --------------------------------------------------------------------------


def _order(function: types.FunctionType, env: Any) -> str | None:
    """Return which set code goes through, if its order is another in each process."""
    if not is_own_file(function.__code__.co_filename):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    sets = _Sets(function.__globals__, layers_of(env))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                sets.bind(target.id, node.value)
    for node in ast.walk(tree):
        for gone_through in _gone_through(node):
            if sets.is_unordered_set(gone_through):
                return (
                    f"{function.__qualname__} goes through {ast.unparse(gone_through)}, a set whose"
                    " order is another in each process; sort it, or keep a list or a dict"
                )
    return None


def _gone_through(node: ast.AST) -> Iterable[ast.expr]:
    """Return what comes out in its order at a node of code."""
    if isinstance(node, ast.For | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.Starred):
        return [node.value]
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in (*_IN_ORDER, *_BY_ITS_ORDER):
            return node.args
        if isinstance(node.func, ast.Attribute) and node.func.attr in _BY_ITS_ORDER:
            return [*node.args, node.func.value]
    return []


class _Sets:
    """What of code's expressions are sets, and what they hold, as far as values tell."""

    def __init__(self, names: Held, layers: list[Any]) -> None:
        self._names, self._layers = names, layers
        self._bound: dict[str, ast.expr] = {}

    def bind(self, name: str, value: ast.expr) -> None:
        self._bound[name] = value

    def is_unordered_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name) and node.id in self._bound:
            value = self._bound.pop(node.id)  # it may be made of what it was before
            try:
                return self.is_unordered_set(value)
            finally:
                self._bound[node.id] = value
        if isinstance(node, ast.Set):
            return any(map(self._is_unordered, node.elts))
        if isinstance(node, ast.SetComp):
            return self._is_unordered(node.elt) or any(
                isinstance(node.elt, ast.Name) and self._holds_unordered(one.iter)
                for one in node.generators
            )
        if isinstance(node, ast.BinOp):
            return self.is_unordered_set(node.left) or self.is_unordered_set(node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            is_set = node.func.id in ("set", "frozenset") and node.func.id not in self._names
            return is_set and any(map(self._holds_unordered, node.args))
        found = self._value(node)
        return isinstance(found, set | frozenset) and any(map(is_unordered, found))

    def _holds_unordered(self, node: ast.expr) -> bool:
        """Tell whether what a set is made of has elements that make its order differ."""
        if isinstance(node, ast.List | ast.Tuple):
            return any(map(self._is_unordered, node.elts))
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return self._is_unordered(node.elt)
        found = self._value(node)
        is_plain = isinstance(found, list | tuple | set | frozenset | dict | str)
        return is_plain and any(map(is_unordered, found))

    def _is_unordered(self, node: ast.expr) -> bool:
        """Tell whether an element makes the order of its set differ."""
        if isinstance(node, ast.Constant):
            return is_unordered(node.value)
        if isinstance(node, ast.Tuple):
            return any(map(self._is_unordered, node.elts))
        is_text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("str", "repr", "object")
        )
        return (is_text and is_unordered("text")) or is_unordered(self._value(node, 0))

    def _value(self, node: ast.expr, unknown: Any = None) -> Any:
        """Return what an attribute of the environment, or a name beside code, is now."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, unknown)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            for layer in self._layers if node.value.id == "self" else ():
                found = getattr(layer, "__dict__", {}).get(node.attr, self)
                found = getattr(type(layer), node.attr, self) if found is self else found
                if found is not self:
                    return found
        return unknown
