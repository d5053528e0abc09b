"""State in variables of functions: of those that go through the epochs, and that wait for those.

Code before the loop runs again in a process that goes on. Variables that outlive an epoch are then
set to what they held; those of objects of the run, to the restored ones.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from garage_like.snapshot.graph.callers import MARK as OF_A_CALLER
from garage_like.snapshot.graph.callers import names_of_callers
from garage_like.snapshot.graph.loop_locals import MARK, LoopLocals
from garage_like.snapshot.graph.places import NUMBERS
from garage_like.snapshot.graph.value_digests import (
    NOTHING,
    Digest,
    cannot_be_saved,
    digest_of,
    is_same,
)
from garage_like.snapshot.graph.walk import walk

_ABSENT = object()


def is_of_a_loop(place: str) -> bool:
    """Tell whether a place is a variable of a function that runs, by its name."""
    return MARK in place or OF_A_CALLER in place


class LoopState:
    """Watch variables of functions that run.

    Attributes:
        keeps: tells whether what a dict holds is saved as the objects of the run.
        saved: what was saved of variables and is not bound yet.
    """

    def __init__(self) -> None:
        self.keeps: Callable[[Any], bool] = lambda owner: False
        self.saved: dict[str, Any] = {}
        self._locals = LoopLocals()
        self._before: dict[str, Digest | None] = {}
        self._restored: set[str] = set()
        self._as_made: dict[str, Any] = {}
        self._held: dict[str, Any] = {}
        self._of_callers: dict[str, Any] = {}

    def take(self, saved: Mapping[str, Any]) -> dict[str, Any]:
        """Take what was saved of variables; return the rest."""
        self.saved = {name: value for name, value in saved.items() if is_of_a_loop(name)}
        return {name: value for name, value in saved.items() if not is_of_a_loop(name)}

    def bind_names_of_callers(self, set_up: set[int]) -> None:
        """Let the functions that wait for this one go on with what was restored.

        Args:
            set_up: ids of what the script has set up for this run; variables that hold something
                else, such as the objects of a run before, are left alone.
        """
        callers = names_of_callers(
            sys._getframe(1),
            lambda name, value: name in self.saved and id(value) in set_up,
            self.keeps,
        )
        for name, at in callers.items():
            at.bind(self.saved.pop(name))

    def enter(self, frame: types.FrameType | None, graph: Mapping[str, Any]) -> list[str]:
        """Bind what was saved of variables that outlive an epoch; watch them from here on.

        Args:
            frame: of what asks for the first epoch.
            graph: the run's objects by name.

        Returns:
            The variables that were bound.
        """
        self._locals = LoopLocals(frame)
        if any(self.keeps(at.owner) for at in self._locals.places().values()):
            self._locals = LoopLocals()  # the variables are the objects of the run
        bound: list[str] = []
        for name, at in self._locals.places().items():
            if name in self.saved:
                at.bind(self.saved.pop(name))
                bound.append(name)
        self._restored |= set(bound)
        places = self._locals.places()
        held = {id(value) for _, value in walk(graph)}
        callers = names_of_callers(frame, lambda _, value: id(value) in held, self.keeps)
        self._of_callers = {name: at.value for name, at in callers.items()}
        self._held = {
            name: at.value
            for name, at in places.items()
            if id(at.value) in held and not isinstance(at.value, NUMBERS)
        }
        # Code before the loop makes again what is not saved, as long as that is in its place.
        self._as_made = {}
        for name, at in places.items():
            if name not in self._held:
                is_kept = self.keeps(variables_of(at.value))
                self._before[name] = None if is_kept else digest_of(at.value)
                if self._before[name] is None:
                    self._as_made[name] = at.value
        return [name for name in bound if name not in self._held]

    def changed(self, turn: int) -> tuple[dict[str, Any], list[str]]:
        """Return what is to be saved, by place, and the places that cannot be.

        Args:
            turn: how many saves there were: large arrays are looked at in part each time.
        """
        found, lost = {**self.saved, **self._of_callers}, []
        for name, at in self._locals.places().items():
            if self._as_made.get(name, _ABSENT) is at.value:
                continue
            if self._held.get(name, _ABSENT) is at.value:
                found[name] = at.value  # as one with what the objects hold
                continue
            before = self._before.get(name) or NOTHING
            if name not in self._restored and is_same(at.value, before, turn):
                continue
            if cannot_be_saved(digest_of(at.value)):
                lost.append(name)
            else:
                found[name] = at.value
        return found, lost

    def leave(self) -> None:
        """Keep what the variables hold as the loop ends: what was finished may yet be saved."""
        self._locals.leave()

    def forget(self) -> None:
        """Let go of what was saved of variables: a stretch of training begins with its own."""
        self._locals, self.saved = LoopLocals(), {}
        self._as_made, self._held, self._of_callers = {}, {}, {}


def variables_of(value: Any) -> Any:
    """Return the attributes of an object; None if it has no dict of them."""
    return getattr(value, "__dict__", None)
