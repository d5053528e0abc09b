"""What a pickle of a graph holds, read without running any of its code: a tree with paths.

It names the object that cannot be built, and tells where two pickles of what should be one state
differ. Objects are nodes: what they are made by, with what, and what they are then given.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from garage_like.snapshot.disk.filesystem import Buffer
from garage_like.snapshot.graph.renamed import present_name
from garage_like.snapshot.kinds.attributes import KEPT_IN_DICTS

_UNPICKLER: Any = pickle._Unpickler  # the one in Python, step by step
_STEPS = (pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE, pickle.NEWOBJ, pickle.NEWOBJ_EX)
_STEPS_THAT_BUILD = (*_STEPS, pickle.BUILD)
_BY_VALUE = ("_make_skeleton_class", "_make_skeleton_enum", "_make_function", "_make_function_code")
_PART_OF_CODE = re.compile(r"\(\d+\)")
_LONGEST = 80


class Code:
    """A class or function that a pickle names."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *arguments: Any, **named: Any) -> Node:
        """Return what a call of it would make."""
        return Node(self, arguments, named)

    def __str__(self) -> str:
        """Return module and name."""
        return f"{self.module}.{self.name}"


_NEW_OBJECT = Code("copyreg", "__newobj__")


class Bytes:
    """The memory of an array, by the number of its buffer."""

    def __init__(self, number: int) -> None:
        self.number = number


class Node:
    """An object that a pickle makes.

    Attributes:
        code: what is called.
        arguments: that it is called with.
        states: what the object is given then: attributes, as a rule.
        items: elements or pairs that are put in.
    """

    def __init__(self, code: Any, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self.code, self.arguments = code, (*arguments, *named.items())
        self.states: list[Any] = []
        self.items: list[Any] = []

    def __call__(self, *arguments: Any, **named: Any) -> Node:
        """Return what a call of the object would make: a class or function saved by value."""
        return Node(self, arguments, named)

    def append(self, item: Any) -> None:
        """Take up an element of a list or a set."""
        self.items.append(item)

    add = append

    def extend(self, items: Iterable[Any]) -> None:
        """Take up elements of a list."""
        self.items.extend(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take up a pair of a dict."""
        self.items.append((key, value))

    @property
    def is_code(self) -> bool:
        """Whether this is a class or a function, saved by value."""
        return isinstance(self.code, Code) and self.code.name in _BY_VALUE

    @property
    def class_name(self) -> str:
        """Module and name of the object's class, as far as the pickle tells; else what makes it."""
        for argument in (*self.arguments[:2], self.code):
            if isinstance(argument, Code) and argument.module not in ("copyreg", "builtins"):
                if not argument.module.startswith("garage_like.snapshot."):
                    return str(argument)
            elif isinstance(argument, Node) and argument.is_code:
                names = [a for a in argument.arguments if isinstance(a, str)]
                return f"__main__.{names[0]}" if names else "a function of the launcher"
        told = str(self.code)
        return "its code" if told.startswith("cloudpickle.") else told


class _Steps:
    """Count the steps of an unpickler that run code, and remember where one failed."""

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0

    def counted(self, load: Callable[[Any], None]) -> Callable[[Any], None]:
        def step(unpickler: Any) -> None:
            self.count += 1
            number = self.count
            try:
                load(unpickler)
            except Exception:
                self.failed = self.failed or number
                raise

        return step

    def dispatch(self, base: Mapping[int, Callable[[Any], None]]) -> dict[int, Any]:
        return {**base, **{s[0]: self.counted(base[s[0]]) for s in _STEPS_THAT_BUILD}}


class _TreeReader(_UNPICKLER):
    """Read a pickle as a tree."""

    def __init__(self, content: Buffer) -> None:
        super().__init__(io.BytesIO(content), buffers=map(Bytes, _count()))
        self.by_step: dict[int, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        return Code(*present_name(module, name))

    def load_newobj(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = Node(_NEW_OBJECT, (self.stack[-1], *arguments), {})

    def load_newobj_ex(self) -> None:
        named, arguments = self.stack.pop(), self.stack.pop()
        self.stack[-1] = Node(_NEW_OBJECT, (self.stack[-1], *arguments), named)

    def load_build(self) -> None:
        state, value = self.stack.pop(), self.stack[-1]
        value.states.append(state)

    def load_pop(self) -> None:
        value = self.stack[-1] if self.stack else None
        _UNPICKLER.load_pop(self)
        if isinstance(value, Node) and len(value.arguments) == 2:
            given, state = value.arguments
            if isinstance(given, Node):  # a call that sets the state of what is there already
                given.states.append(state)

    def load_additems(self) -> None:
        items, value = self.pop_mark(), self.stack[-1]
        value.update(items) if isinstance(value, set) else value.extend(items)

    def load_readonly_buffer(self) -> None:
        pass

    dispatch = {
        **_UNPICKLER.dispatch,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.BUILD[0]: load_build,
        pickle.POP[0]: load_pop,
        pickle.ADDITEMS[0]: load_additems,
        pickle.READONLY_BUFFER[0]: load_readonly_buffer,
    }


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def read_tree(content: Buffer) -> Any:
    """Return what a pickle holds."""
    return _TreeReader(content).load()


def where_it_fails(
    content: Buffer, buffers: Iterable[Any], find_class: Callable[[str, str], Any]
) -> tuple[str, str] | None:
    """Return path and class of the object that cannot be built; None if all can be.

    Builds the objects once more, step by step.
    """
    steps = _Steps()

    class Stepwise(_UNPICKLER):
        dispatch = steps.dispatch(_UNPICKLER.dispatch)

    unpickler = Stepwise(io.BytesIO(content), buffers=buffers)
    unpickler.find_class = find_class
    try:
        unpickler.load()
    except Exception:
        return _object_of_step(content, steps.failed)
    return None


def _object_of_step(content: Buffer, step: int) -> tuple[str, str]:
    """Return path and class of the object that a step of an unpickler makes or fills."""
    found: list[Any] = []
    steps = _Steps()

    class Noting(_TreeReader):
        dispatch = {
            **_TreeReader.dispatch,
            **{
                code[0]: _noting(_TreeReader.dispatch[code[0]], steps, step, found)
                for code in _STEPS_THAT_BUILD
            },
        }

    tree = Noting(content).load()
    value = found[0] if found else None
    if isinstance(value, Node) and len(value.arguments) == 2 and value.arguments[0] in _nodes(tree):
        value = value.arguments[0]
    named = value.class_name if isinstance(value, Node) else str(value)
    for path, part in walk_tree(tree):
        if part is value or (isinstance(part, Node) and _is_made_with(part, value)):
            return _PART_OF_CODE.split(path)[0], named
    return "the state of the run", named


def _noting(
    load: Callable[[Any], None], steps: _Steps, wanted: int, found: list[Any]
) -> Callable[[Any], None]:
    def step(unpickler: Any) -> None:
        steps.count += 1
        number = steps.count
        load(unpickler)
        if number == wanted:
            found.append(unpickler.stack[-1])

    return step


def _nodes(tree: Any) -> list[Any]:
    return [part for _, part in walk_tree(tree) if isinstance(part, Node)]


def _is_made_with(node: Node, code: Any) -> bool:
    """Tell whether a class or function is what an object is made by."""
    used = (node.code, *node.arguments[:2])
    if isinstance(code, Code):
        return any(isinstance(one, Code) and str(one) == str(code) for one in used)
    return any(one is code for one in used)


# ---- paths ----------------------------------------------------------------------------------


def walk_tree(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield every object with its path, those nearest to the top first, each once."""
    seen: set[int] = set()
    level = [("", tree)]
    while level:
        below: list[tuple[str, Any]] = []
        for path, value in level:
            if id(value) in seen:
                continue
            if isinstance(value, Node | list | dict | tuple):
                seen.add(id(value))
            yield path, value
            below += [(_joined(path, label), part) for label, part in tree_parts(value)]
        level = below


def _joined(path: str, label: str) -> str:
    return path + label if path else label.lstrip(".")


def tree_parts(value: Any) -> list[tuple[str, Any]]:
    """Return the parts of an object in a tree, as (label, part); labels read like code."""
    if isinstance(value, dict):
        return [part for n, pair in enumerate(value.items()) for part in _pair(n, *pair)]
    if isinstance(value, list | tuple):
        return [(f"[{number}]", part) for number, part in enumerate(value)]
    if not isinstance(value, Node):
        return []
    parts = [(f"({n})", a) for n, a in enumerate(value.arguments) if not isinstance(a, Code)]
    for state in value.states:
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
            parts += [*tree_parts(state[0] or {}), *tree_parts(state[1])]
        else:
            parts += tree_parts(state) if isinstance(state, dict) else [(".state", state)]
    for number, item in enumerate(value.items):
        is_pair = isinstance(item, tuple) and len(item) == 2
        parts += _pair(number, *item) if is_pair else [(f"[{number}]", item)]
    return parts


def _pair(number: int, key: Any, value: Any) -> list[tuple[str, Any]]:
    if isinstance(key, str):
        if key in KEPT_IN_DICTS and isinstance(value, dict):
            return tree_parts(value)
        return [(f".{key}", value)]
    if isinstance(key, int | float | bool | bytes | type(None)):
        return [(f"[{key!r}]", value)]
    return [(f"[key {number}]", key), (f"[value {number}]", value)]


# ---- comparing ------------------------------------------------------------------------------


def differences(
    saved: Any,
    found: Any,
    same_bytes: Callable[[int, int], bool],
    passed_over: Callable[[Node], bool],
) -> Iterator[str]:
    """Yield a sentence for each place where what came back is not what was saved.

    Classes and functions are compared by name.

    Args:
        saved: tree of the pickle.
        found: tree of a pickle of what came back.
        same_bytes: tells whether two buffers, by number, hold the same.
        passed_over: tells what is not compared.
    """
    met: dict[int, Any] = {}
    waiting: list[tuple[str, Any, Any]] = [("", saved, found)]
    while waiting:
        path, ours, theirs = waiting.pop()
        if isinstance(ours, Node | list | dict):
            if id(ours) in met:
                continue
            met[id(ours)] = ours
        if (isinstance(ours, Node) and passed_over(ours)) or _saved_otherwise(ours, theirs):
            continue
        if _told(ours) != _told(theirs):
            yield f"{path}: saved as {_told(ours)}, comes back as {_told(theirs)}"
        elif isinstance(ours, Bytes):
            if not same_bytes(ours.number, theirs.number):
                yield f"{_PART_OF_CODE.split(path)[0]}: other numbers come back than were saved"
        elif isinstance(ours, Node) and ours.is_code:
            continue
        else:
            a, b = tree_parts(ours), tree_parts(theirs)
            labels, others = dict(a), dict(b)
            if list(labels) != list(others):
                lost = next((label for label in labels if label not in others), None)
                new = next((label for label in others if label not in labels), None)
                if lost is None and _told(ours).startswith("garage_like."):
                    new = None  # an attribute that its class has got since
                what = "is not" if lost else "was not saved, and is"
                if lost or new:
                    yield f"{_joined(path, lost or new or '')}: {what} there when it comes back"
            waiting += reversed(
                [
                    (_joined(path, label), part, others[label])
                    for label, part in labels.items()
                    if label in others
                ]
            )


def _saved_otherwise(ours: Any, theirs: Any) -> bool:
    """Tell whether this version saves in another way what an earlier one saved: of our own."""
    ways = [_way(ours), _way(theirs)]
    return ways[0] != ways[1] and any(way.startswith("garage_like.") for way in ways)


def _way(value: Any) -> str:
    if not isinstance(value, Node):
        return type(value).__name__
    return str(value.code) if value.code is not _NEW_OBJECT else value.class_name


def _told(value: Any) -> str:
    """Return what a value is, and all of it if it has no parts."""
    if isinstance(value, Node):
        return value.class_name
    if isinstance(value, Bytes | list | tuple | dict):
        return type(value).__name__
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_told, value)))}}}"
    text = str(value) if isinstance(value, Code) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({hash(text):x})"
