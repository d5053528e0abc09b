"""Restoring into what is alive: classes and objects that this process already has.

Two traps of unpickling are mended here. Loading a class that was pickled by value (one defined in
the launcher) re-binds the methods of the live class to copies of their globals; the live class is
used instead, untouched. And an experiment that builds its algorithm and then finds a snapshot to
continue from would train new objects while its own variables go stale; the saved state is loaded
into the live objects instead, and put back if loading fails.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from cloudpickle import cloudpickle

from garage_like.snapshot.graph.cells import restoring_into_variables_of
from garage_like.snapshot.graph.naming import named_objects
from garage_like.snapshot.graph.walk import walk
from garage_like.snapshot.kinds.attributes import NEW_OBJECT
from garage_like.snapshot.kinds.registry import KINDS

_CODE = (type, types.FunctionType, types.MethodType, types.ModuleType)

_MOST_DECORATORS = 8

_live_objects: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "live_objects", default=None
)
"""What may still be restored into, by path; each object once."""

_in_its_script: contextvars.ContextVar[bool] = contextvars.ContextVar("in_script", default=False)


@contextlib.contextmanager
def restoring_into(objects: Mapping[str, Any], *, in_its_script: bool = False) -> Iterator[None]:
    """Offer live objects by their path; on an exception they are as they were.

    Args:
        objects: by path.
        in_its_script: whether the script that made what was saved is the one that runs: then what
            its functions call and count is what the script does.
    """
    before = {id(o): (o, dict(o.__dict__)) for o in objects.values() if hasattr(o, "__dict__")}
    token = _live_objects.set(dict(objects))
    script_token = _in_its_script.set(in_its_script)
    tops = {path: value for path, value in objects.items() if "." not in path}
    try:
        with contextlib.ExitStack() as stack:
            functions = [v for _, v in walk(tops) if isinstance(v, types.FunctionType)]
            stack.enter_context(restoring_into_variables_of(functions))
            for kind in KINDS:
                stack.enter_context(kind.restoring(lambda: named_objects(tops, {})))
            yield
    except BaseException:
        for live, state in before.values():
            live.__dict__.clear()
            live.__dict__.update(state)
        raise
    finally:
        _in_its_script.reset(script_token)
        _live_objects.reset(token)


def adopt(path: str, cls: type) -> Any:
    """Return the live object at a path, emptied, if it has the class; else a new bare object."""
    offered = _live_objects.get() or {}
    live = offered.get(path)
    if _computes_as(type(live)) is not _computes_as(cls):
        return NEW_OBJECT(cls)
    for other in [other for other, value in offered.items() if value is live]:
        del offered[other]  # two objects of the snapshot must not become one
    kept = {k: v for kind in KINDS.of(cls) for k, v in kind.kept_when_emptied(live).items()}
    live.__dict__.clear()
    live.__dict__.update(kept)
    return live


def _computes_as(cls: type) -> type:
    """Return the class whose state and results a class shares: where it does so is no state."""
    found: type = getattr(cls, "configured_as", cls)
    return found


def reduce_for_adoption(path: str, value: Any, reduced: Any) -> Any:
    """Turn what makes a new object into what may fill a live one; anything else stays as it is.

    Args:
        path: of the object.
        value: the object.
        reduced: how it would be pickled otherwise.
    """
    parts = value.__reduce_ex__(5) if reduced is NotImplemented else reduced
    if (
        isinstance(parts, tuple)
        and parts[:2] == (NEW_OBJECT, (type(value),))
        and len(parts) > 2
        and isinstance(parts[2], dict | None)  # a tuple holds slots, which we could not undo
    ):
        return (adopt, (path, type(value)), *parts[2:])
    return reduced


def reduce_method(method: types.MethodType) -> Any:
    """Return how pickle saves a bound method: by name, so it stays a method of the live class."""
    owner, name = method.__self__, method.__func__.__name__
    return (getattr, (owner, name)) if getattr(owner, name, None) == method else NotImplemented


def components_of(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Return the objects of a graph that can be restored into, by path: two levels deep."""
    components: dict[str, Any] = {}
    for name, value in graph.items():
        if not hasattr(value, "__dict__") or isinstance(value, _CODE):
            continue
        components[name] = value
        for key, child in vars(value).items():
            if hasattr(child, "__dict__") and not isinstance(child, _CODE):
                components[f"{name}.{key}"] = child
        modules = vars(value).get("_modules")
        if isinstance(modules, dict):
            components.update({f"{name}.{k}": v for k, v in modules.items() if v is not None})
    return components


class _LiveCode:
    """Remember which classes and functions came from the live process while a graph is loaded."""

    def __init__(self) -> None:
        self.found: set[Any] = set()

    def make_skeleton(
        self, metaclass: Any, name: str, bases: Any, kwargs: Any, tracker: str | None, extra: Any
    ) -> type:
        module = kwargs.get("__module__")
        live = _tracked(tracker) or _launcher_class(extra or name, bases, module)
        if live is not None:
            self.found.add(live)
            return live
        return cloudpickle._make_skeleton_class(metaclass, name, bases, kwargs, tracker, extra)

    def make_enum(
        self,
        bases: Any,
        name: str,
        qualname: str,
        members: Any,
        module: str,
        tracker: str | None,
        extra: Any,
    ) -> type:
        live = _tracked(tracker) or _launcher_class(qualname, bases, module)
        if live is not None:
            self.found.add(live)
            return live
        return cloudpickle._make_skeleton_enum(
            bases, name, qualname, members, module, tracker, extra
        )

    def set_state(self, cls: type, state: Any) -> type:
        return cls if cls in self.found else cloudpickle._class_setstate(cls, state)

    def make_function(
        self, code: types.CodeType, space: dict[str, Any], name: Any, defaults: Any, closure: Any
    ) -> types.FunctionType:
        live = _launcher_function(code, space, name)
        if live is not None:
            self.found.add(live)
            return live
        if (own := _own_space(space)) is not None:
            space = own
        made: types.FunctionType = cloudpickle._make_function(code, space, name, defaults, closure)
        return made

    def set_function_state(self, function: types.FunctionType, state: Any) -> Any:
        if function in self.found:
            return function
        own, others = state
        if function.__globals__ is _own_space(function.__globals__):
            told = others["__globals__"].items()
            gone = {k: v for k, v in told if k not in function.__globals__}
            others = {**others, "__globals__": gone}
        return cloudpickle._function_setstate(function, (own, others))


def _own_space(space: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the names of the module that a function is of, if this process has that."""
    name = space.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    is_of_another_script = name == "__main__" and not _in_its_script.get()
    return None if module is None or is_of_another_script else vars(module)


def _tracked(tracker: str | None) -> type | None:
    return cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.get(tracker)


def _launcher_class(qualname: str, bases: tuple[type, ...], module: str | None) -> type | None:
    """Return the launcher's class of that name: by its place, or that of an object set up again."""
    if module not in (None, "__main__"):
        return None
    live = _in_launcher(qualname)
    if "<locals>" in qualname:
        offered = (cls for o in (_live_objects.get() or {}).values() for cls in type(o).__mro__)
        told = (cls for cls in offered if cls.__module__ == "__main__")
        live = next((cls for cls in told if cls.__qualname__ == qualname), None)
    names = [base.__qualname__ for base in types.resolve_bases(bases)]
    if isinstance(live, type) and [base.__qualname__ for base in live.__bases__] == names:
        return live
    return None


def _launcher_function(
    code: types.CodeType, space: Mapping[str, Any], name: str | None
) -> types.FunctionType | None:
    """Return the launcher's function of that name, so that it stays one; it has its own state.

    Args:
        code: of the function that was saved.
        space: its globals.
        name: what the launcher called it, if it had a name for it: one that a function made, say.
    """
    if space.get("__name__") != "__main__":
        return None
    if not (code.co_freevars or "<" in code.co_qualname):
        name = code.co_qualname
    elif not _in_its_script.get():
        return None  # another script's function may be called so too
    live = None if name is None else _in_launcher(name)
    for _ in range(_MOST_DECORATORS):
        if isinstance(live, types.FunctionType) and live.__code__.co_qualname == code.co_qualname:
            return live
        inner = (getattr(live, name, None) for name in ("__wrapped__", "__func__", "fget"))
        live = next((value for value in inner if value is not None), None)
    return None


def _in_launcher(qualname: str) -> Any:
    """Return what the launcher calls by a name, with dots for what a class holds."""
    first, *rest = qualname.split(".")
    value = vars(sys.modules["__main__"]).get(first)
    for name in rest:
        value = vars(value).get(name) if isinstance(value, type) else None
    return value


def class_loaders() -> dict[tuple[str, str], Any]:
    """Return what an unpickler puts in place of cloudpickle's builders of code, for one load."""
    live = _LiveCode()
    module = "cloudpickle.cloudpickle"
    return {
        (module, "_make_skeleton_class"): live.make_skeleton,
        (module, "_make_skeleton_enum"): live.make_enum,
        (module, "_class_setstate"): live.set_state,
        (module, "_make_function"): live.make_function,
        (module, "_function_setstate"): live.set_function_state,
    }
