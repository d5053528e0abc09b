"""State beside the objects: what the run's own modules and classes hold, and training changes.

A generator at the top of a launcher, a counter in a class: when the script is run again they are
fresh, whatever the snapshot holds of the objects. What has changed since training began is saved
with the graph and put back; so is what the run's objects hold too, which must stay one. What has
changed and cannot be put back is named, so that no label is wrong.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from garage_like.snapshot.graph.as_found import as_found
from garage_like.snapshot.graph.as_written import NOT_A_LITERAL, as_written
from garage_like.snapshot.graph.call_caches import CACHED_FUNCTION
from garage_like.snapshot.graph.loop_state import LoopState, is_of_a_loop, variables_of
from garage_like.snapshot.graph.own_namespaces import own_classes, own_namespaces
from garage_like.snapshot.graph.places import (
    NUMBERS,
    Place,
    carried_by_callables,
    find_places,
    is_imported,
)
from garage_like.snapshot.graph.places_to_make import place_to_make
from garage_like.snapshot.graph.process_places import SETTINGS, Setting
from garage_like.snapshot.graph.value_digests import (
    NOTHING,
    Digest,
    cannot_be_saved,
    digest_of,
    is_same,
)
from garage_like.snapshot.graph.walk import walk
from garage_like.snapshot.kinds.attributes import is_constant

_MOST_WALKS = 20


class Shared(NamedTuple):
    """A value that the run's objects hold too: after a restore the two are one again.

    Attributes:
        value: of the place.
        before: its digest as the script makes it.
    """

    value: Any
    before: Digest | None


class ModuleState:
    """Watch what the run's own modules, classes and functions hold.

    Attributes:
        lost: places whose values changed and can't be put back.
        loop: variables of functions that go through the epochs, or wait for those.
        local_places: returns what functions hold that only the loop has names for: nobody can put
            it back.
        is_of_a_script: whether any function may be a part of the run: the loop is the script's own.
        callables: what the run calls and does not hold, by what users are told.
    """

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.loop = LoopState()
        self.local_places: Callable[[], Mapping[str, Place]] = dict
        self.is_of_a_script = False
        self.callables: Mapping[str, Any] = {}
        self._before: dict[str, Digest | None] = {}
        self._local_before: dict[str, Digest | None] = {}
        self._restored: set[str] = set()
        self._elsewhere: dict[str, Any] = {}
        self._first: dict[str, Digest | None] = {}
        self._spaces: set[int] = set()
        self._known: dict[str, int] = {}
        self._shared: set[int] = set()
        self._num_saves = self._num_walks = 0
        self._functions: list[Any] | None = None
        self._with_graph: dict[int, Any] = {}
        self._imported: dict[str, tuple[Any, bool]] = {}
        self._texts: dict[str, str] = {}  # of settings, as they were before training

    def begin(self, graph: Mapping[str, Any] | None = None) -> None:
        """Remember how everything is before the first epoch of this process.

        Args:
            graph: the run's objects by name; None: whatever any function uses is watched.
        """
        functions = _functions_in(graph or {})
        self._functions = None if graph is None or self.is_of_a_script else functions
        self._with_graph = {id(owner): owner for owner in _brought_along(functions)}
        now = {place: digest_of(at.value) for place, at in self._watched().items()}
        self._before = {**now, **self._before}  # a further stage goes on from where the first began
        self._spaces = set(map(id, (*own_namespaces(), *own_classes())))
        self._known = {}

    def changed(self, graph: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is to be saved, by place: what has changed, and what the graph holds too.

        Args:
            graph: the run's objects by name.
        """
        self.lost = []
        self._num_saves += 1
        found: dict[str, Any] = dict(self._elsewhere)
        watched = self._watched()
        shared = self._shared_with(graph, watched)
        for place, at in watched.items():
            if id(at.owner) in self._with_graph:
                continue
            if id(at.value) in shared:
                before = self._first.get(place, self._before.get(place))
                found[place] = Shared(at.value, before)
                continue
            if place in self._restored:
                found[place] = at.value
                continue
            if place not in self._before:
                is_new = id(at.owner if at.space is None else at.space) in self._spaces
                self._before[place] = NOTHING if is_new else _as_imported(place, at)
            before = self._before[place]
            if before is None or self._is_as_before(place, at, before):
                continue  # what could not be looked at then cannot be now
            if self._is_imported(place, at):
                continue
            if cannot_be_saved(digest_of(at.value)) or "<locals>" in place:
                self.lost.append(place)
            else:
                found[place] = at.value
        for place, at in self.local_places().items():
            before = self._local_before.setdefault(place, digest_of(at.value))
            if before is not None and not is_same(at.value, before, self._num_saves):
                self.lost.append(place)
        in_the_loop, lost = self.loop.changed(self._num_saves)
        self.lost += lost
        return {**found, **in_the_loop}

    def _is_as_before(self, place: str, at: Place, before: Digest) -> bool:
        """Tell whether a place holds what it did; a setting's text is quicker than its pickle."""
        text = repr(at.value) if place in SETTINGS else None
        if text is not None and self._texts.get(place) == text:
            return True
        same = is_same(at.value, before, self._num_saves)
        if same and text is not None:
            self._texts[place] = text
        return same

    def _is_imported(self, place: str, at: Place) -> bool:
        known = self._imported.get(place)
        if known is None or known[0] is not at.value:
            known = self._imported[place] = at.value, is_imported(at)
        return known[1]

    def _shared_with(self, graph: Mapping[str, Any], watched: Mapping[str, Place]) -> set[int]:
        """Return the ids of watched values that the graph reaches; it is walked if one is new."""
        known = {place: id(at.value) for place, at in watched.items() if _may_be_shared(at)}
        if known != self._known and self._num_walks < _MOST_WALKS:
            self._num_walks += 1
            wanted = set(known.values())
            self._shared = {id(v) for _, v in walk(graph) if id(v) in wanted} if wanted else set()
            self._known = known
        return self._shared

    def _watched(self) -> dict[str, Place]:
        is_kept = self.loop.keeps
        places = find_places(self._functions) | carried_by_callables(self.callables)
        return {
            place: at
            for place, at in places.items()
            if not is_kept(at.owner) and not is_kept(variables_of(at.value))
        }

    def why_inexact(self) -> list[str]:
        """Return a sentence for each place that changes and cannot be put back."""
        return [
            f"{place} changes while training and cannot be saved; keep it in an object of the run"
            for place in sorted(self.lost)
        ] + self.why_not_put_back()

    def why_not_put_back(self) -> list[str]:
        """Return a sentence for each thing that functions carried when it was saved, not now.

        A global that no code here asks for any more is none of them.
        """
        return [
            f"{place} was saved, and no code here holds it"
            for place in sorted(self._elsewhere)
            if _is_carried(place)
        ]

    def put_back(
        self, saved: Mapping[str, Any], graph: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Bind what was saved in this process's modules and classes, under each of its names.

        Args:
            saved: by place.
            graph: the restored objects by name, whose functions have brought along what they carry.

        Returns:
            The places.
        """
        bound = []
        places = find_places([]) | find_places()  # by the names that a run finds, too
        made = {name: place_to_make(name) for name in saved if name not in places}
        places = (
            find_places([]) | find_places()
        )  # with those of modules that have just been imported
        places |= {n: at for n, at in made.items() if at is not None and n not in places}
        if any(map(_is_carried, saved.keys() - places.keys())):
            places = find_places(_functions_in(graph or {})) | places
            places |= carried_by_callables(self.callables)
        self._restored = set(saved) & set(places)
        elsewhere = {place: value for place, value in saved.items() if place not in places}
        self._elsewhere = self.loop.take(elsewhere)
        for place in self._restored:
            live, value = places[place].value, saved[place]
            if isinstance(value, Shared):
                self._first[place] = value.before
                if made.get(place) is None and digest_of(live) != value.before:
                    continue  # the script says something else there now
                value = value.value
            for holder in [places[place], *_holders(live, places)]:
                holder.bind(value)
            bound.append(place)
        return bound

    def untouched(self) -> contextlib.AbstractContextManager[None]:
        """Leave everything as it was found: trying an environment moves what its class counts."""
        return as_found()

    @contextlib.contextmanager
    def unless_it_fails(self) -> Iterator[None]:
        """Leave everything as it was found if the block raises: a restore that fails half-way."""
        restored, elsewhere, in_loop = self._restored, self._elsewhere, self.loop.saved
        try:
            with as_found(only_if_it_fails=True):
                yield
        except BaseException:
            self._restored, self._elsewhere, self.loop.saved = restored, elsewhere, in_loop
            raise


def _is_carried(place: str) -> bool:
    """Tell whether a place is in what a function carries, by its name."""
    return not (is_of_a_loop(place) or set(":([").isdisjoint(place))


def _holders(value: Any, places: Mapping[str, Place]) -> Iterator[Place]:
    """Yield the other places of a value: names that no function uses yet are among them."""
    if isinstance(value, NUMBERS):
        return
    yield from (at for at in places.values() if at.value is value)
    for space in own_namespaces():
        names = [name for name, held in space.items() if held is value]
        yield from (Place(value, space, name, space) for name in names)


def _as_imported(place: str, at: Place) -> Digest | None:
    """Return the digest of what a module that was imported in mid-run gave a name first.

    Of what is no literal nobody knows: in a module it is taken to have changed, if it can be saved.
    """
    module = at.owner.__module__ if at.space is None else at.space["__name__"]
    file = getattr(sys.modules.get(module), "__file__", None)
    written = as_written(file, place.removeprefix(f"{module}."))
    if written is not NOT_A_LITERAL:
        return digest_of(written)
    now = digest_of(at.value)
    return now if at.space is None or cannot_be_saved(now) else NOTHING


def _functions_in(graph: Mapping[str, Any]) -> list[Any]:
    """Return the functions that the run's objects hold: callbacks, say."""
    found = [getattr(value, "__func__", value) for _, value in walk(graph)]
    kinds = types.FunctionType | functools.partial | CACHED_FUNCTION
    return [value for value in found if isinstance(value, kinds)]


def _brought_along(functions: list[Any]) -> Iterator[Any]:
    """Yield what holds the state of functions that are saved whole: those made by another one.

    But for those that the launcher has a name for, which are its own again after a restore.
    """
    launcher = set(map(id, vars(sys.modules["__main__"]).values()))
    for function in functions:
        is_made = isinstance(function, types.FunctionType) and "<" in function.__code__.co_qualname
        if is_made and id(function) not in launcher:
            yield from (vars(function), *(function.__closure__ or ()))
            yield from (function, function.__kwdefaults__)


def _may_be_shared(at: Place) -> bool:
    return not (isinstance(at.owner, CACHED_FUNCTION | Setting) or is_constant(at.value))
