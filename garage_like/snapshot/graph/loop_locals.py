"""Local variables of a loop that outlive an epoch.

An algorithm may loop by itself, `for epoch in trainer.step_epochs()`, and count in a local variable
what it has seen. The code before the loop runs again in a process that goes on; the variables that
the loop reads before it sets them are then as they were when the snapshot was taken.
"""

from __future__ import annotations

import bisect
import ctypes
import dis
import functools
import inspect
import sys
import types
from collections.abc import Iterator, MutableMapping
from typing import Any

from garage_like.snapshot.graph.own_code import is_own_file
from garage_like.snapshot.graph.places import Place, is_data

MARK = ": its local "
"""In the name of a place: what stands before it is the function."""

_ONLY_OURS = 3
"""References to a dict of variables: the frame's, the name's and that of the question."""

_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"}


def variables_in(frame: types.FrameType) -> dict[str, Any]:
    """Return what the variables of a function that runs hold now.

    Before Python 3.13 a frame keeps the dict that it was asked for, and so what the function lets
    go of: it is emptied, unless the function itself has got it by `locals()`.
    """
    kept = frame.f_locals
    found = dict(kept)
    if sys.version_info < (3, 13) and sys.getrefcount(kept) <= _ONLY_OURS:
        kept.clear()
    return found


class FunctionNames(MutableMapping[str, Any]):
    """The local variables of a function that runs, bound from outside.

    Attributes:
        frame: of the function.
    """

    def __init__(self, frame: types.FrameType) -> None:
        self.frame = frame

    @property
    def shared(self) -> tuple[str, ...]:
        """The names of variables that functions within the function have, too."""
        return self.frame.f_code.co_cellvars

    def __getitem__(self, name: str) -> Any:
        return variables_in(self.frame)[name]

    def __setitem__(self, name: str, value: Any) -> None:
        names = self.frame.f_locals
        names[name] = value
        if sys.version_info < (3, 13):  # from then on the variables are written at once
            to_fast = ctypes.pythonapi.PyFrame_LocalsToFast
            to_fast(ctypes.py_object(self.frame), ctypes.c_int(0))
            del names
            variables_in(self.frame)

    def __delitem__(self, name: str) -> None:
        raise TypeError("local variables are bound, not deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(variables_in(self.frame))

    def __len__(self) -> int:
        return len(variables_in(self.frame))


class LoopLocals:
    """The variables of those who go through a loop that outlive a turn of it.

    Args:
        frame: of what asks for the next turn: a function of the user's, or a progress bar that one
            goes through. None: nobody does.
    """

    def __init__(self, frame: types.FrameType | None = None) -> None:
        self._names = [
            (f"{one.f_globals.get('__name__')}.{one.f_code.co_qualname}{MARK}", one, live)
            for one in _own_frames(frame)
            if (live := outliving(one.f_code, one.f_lasti))
        ]
        self._left: dict[str, Place] = {}

    def places(self) -> dict[str, Place]:
        """Return what the variables hold now; once the loop has ended, what they held last."""
        found = dict(self._left)
        for function, frame, live in self._names:
            held = FunctionNames(frame)
            found |= {
                function + name: Place(value, held, name, frame.f_globals)
                for name, value in variables_in(frame).items()
                if name in live and is_data(value)
            }
        return found

    def leave(self) -> None:
        """Take note of what the variables hold, and let go of the functions."""
        self._left = {name: at._replace(owner={}) for name, at in self.places().items()}
        self._names = []


def _own_frames(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    """Yield the user's functions that go through the loop: one, and those of generators of it."""
    while frame is not None:
        code = frame.f_code
        # Code of a launcher that a snapshot brought along has lost the name of its file.
        is_own = is_own_file(code.co_filename) or frame.f_globals.get("__name__") == "__main__"
        if is_own and code.co_flags & inspect.CO_OPTIMIZED:
            yield frame
        if not code.co_flags & inspect.CO_GENERATOR:
            return
        frame = frame.f_back


@functools.lru_cache(100)
def outliving(code: types.CodeType, at: int) -> frozenset[str]:
    """Return the variables that code may read after an instruction before it sets them.

    Args:
        code: of a function.
        at: offset of the instruction, or of one of the caches behind it.
    """
    instructions = list(dis.get_instructions(code))
    places = {one.offset: number for number, one in enumerate(instructions)}
    follow = [_successors(number, instructions, places) for number in range(len(instructions))]
    # What no instruction leads to handles exceptions; any instruction may raise one.
    reached = {0}.union(*follow)
    handlers = {number for number in range(len(instructions)) if number not in reached}
    effects = [_effects(one) for one in instructions]
    live: list[set[str]] = [set() for _ in instructions]
    changes = True
    while changes:
        changes = False
        raised = set().union(*(live[number] for number in handlers))
        for number in reversed(range(len(instructions))):
            after = raised.union(*(live[other] for other in follow[number]))
            reads, sets = effects[number]
            before = reads | (after - sets)
            if before != live[number]:
                live[number], changes = before, True
    here = bisect.bisect_right([one.offset for one in instructions], at) - 1
    after = set().union(*(live[other] for other in follow[here]))
    return frozenset(after) | frozenset(code.co_cellvars)  # which functions inside may read


def _successors(
    number: int, instructions: list[dis.Instruction], places: dict[int, int]
) -> list[int]:
    one = instructions[number]
    jumps = one.opcode in dis.hasjrel or one.opcode in dis.hasjabs
    found = [places[one.argval]] if jumps else []
    goes_away = one.opname in _ENDS or (jumps and one.opname.startswith(("JUMP_F", "JUMP_B")))
    if not goes_away and number + 1 < len(instructions):
        found.append(number + 1)
    return found


def _effects(one: dis.Instruction) -> tuple[set[str], set[str]]:
    """Return the variables that an instruction reads, and those that it sets without reading."""
    if "_FAST" not in one.opname and "_DEREF" not in one.opname:
        return set(), set()
    names = one.argval if isinstance(one.argval, tuple) else (one.argval,)
    kinds = [part for part in one.opname.split("_") if part in ("LOAD", "STORE", "DELETE")]
    reads, sets = set(), set()
    for kind, name in zip(kinds, names, strict=False):
        if kind == "LOAD" and name not in sets:
            reads.add(name)
        elif kind == "STORE":
            sets.add(name)
    return reads, sets
