"""What a snapshot has to know of a library: one small class for each, with nothing to say at first.

A kind says which classes are its library's, and how their objects are pickled, named, walked and
digested; it has the state of the library's own random numbers, and what else its bits depend on.
None of this may load the library: it is asked only where the library is loaded already, but for
what a restore brings back.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.attributes import Part, PartsFunction
from garage_like.snapshot.kinds.memory import MemoryMap

T = TypeVar("T")

Reducer = Callable[[Any], Any]
"""Return what `__reduce_ex__` would, or NotImplemented to have pickle do what it does by itself."""


class Memory(NamedTuple):
    """Memory of a library's that arrays of NumPy look at.

    Attributes:
        holder: what holds it and is pickled for it, such as a storage.
        content: its bytes: a view, shape (nbytes,), uint8.
        rebuild_view: builds an array on it: called with the holder, and then as
            `arrays.rebuild_view` is; saved by name.
    """

    holder: Any
    content: np.ndarray
    rebuild_view: Callable[..., np.ndarray]


class PickleAgainError(Exception):
    """Raise to have the graph pickled once more from the start: a kind has learned something."""


class Late(Protocol):
    """What knows the bytes of a buffer that was left empty in the pickle."""

    def content(self) -> bytes:
        """Return the bytes, as they were when the graph was pickled."""


class Packing(NamedTuple):
    """How another process hands objects over: functions that pickle finds by their names.

    Attributes:
        pack: turns an object into bytes.
        unpack: turns the bytes into an object.
    """

    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], Any]


class Pickling(Protocol):
    """A pickle in the making, as kinds see it.

    Attributes:
        buffers: memory of the arrays so far, in the order in which the pickle refers to it.
        late: what knows the bytes of buffers that are left empty, by the number of the buffer.
        twins: copies of large objects, kept from pickle to pickle; None: there is no room for any.
        slots_in_rows: whether many small arrays may be pickled as one.
        kept: what kinds keep from capture to capture of one run; None: no other follows.
        env_states: what is known of environments.
        made_again: objects that are made again after a restore, by id.
        packing: how objects are handed from process to process.
    """

    buffers: list[np.ndarray]
    late: dict[int, Late]
    twins: list[Any] | None
    slots_in_rows: bool
    kept: dict[Any, Any] | None
    env_states: Any
    made_again: dict[int, Any]
    packing: Packing

    def announce(self, views: list[View]) -> None:
        """Say what looks at the buffer that comes next; the list may grow until the end."""

    def note_place(self, array: Any) -> None:
        """Say that an array is met here that lies in a buffer with others: its place names it."""

    def memory(self, device: str = "cpu") -> MemoryMap:
        """Return who holds which memory of a device."""

    def foreign_memory(self, value: Any) -> Memory | None:
        """Return the memory that an array has in common with a library's value, if it has."""

    def stand_in(self, array: np.ndarray, value: Any) -> np.ndarray:
        """Return an array, to be saved under the name of a value that it says all of."""

    def path_of(self, value: Any) -> str | None:
        """Return the path of a named object; None where nothing can be restored into."""

    def own(self, make: Callable[[Pickling], T]) -> T:
        """Return what a kind keeps as long as one graph is pickled: made when first asked for.

        If it has a method `finish`, that is called when all has been met; it may raise
        PickleAgainError.
        """


class Kind:
    """What a snapshot has to know of one library: derive from it, say what there is, register it.

    Attributes:
        name: of the library; its own random numbers are saved under it.
        modules: packages whose classes are the library's; the first is loaded if any is.
        versions: packages whose versions the bits depend on, where they are loaded.
        variables: of the environment, that the bits depend on.
        singletons: (module, attribute) of what a process has one of, and keeps on restore.
        recursion: how deep pickling has to nest for objects that lie within each other; 0: no
            deeper than usual.
    """

    name: str = ""
    modules: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    singletons: tuple[tuple[str, str], ...] = ()
    recursion: int = 0

    def is_loaded(self) -> bool:
        """Tell whether this process uses the library; loads nothing."""
        return not self.modules or self.modules[0] in sys.modules

    def claims(self, cls: type) -> bool:
        """Tell whether to ask this kind about a class; remembered for each class."""
        return False

    # ---- saving ---------------------------------------------------------------------------------

    def reduce(self, value: Any, pickling: Pickling) -> Any:
        """Return how pickle saves an object: what `__reduce_ex__` would, or NotImplemented.

        Functions in it are saved by name, and must be found under that name as long as there are
        snapshots. Arrays of NumPy in it get to the snapshot's files by themselves.
        """
        return NotImplemented

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        """Return what reduces objects of a class: asked once for each class and pickle.

        None leaves it to the kinds that come after this one, and to pickle.
        """
        if type(self).reduce is Kind.reduce:
            return None
        return functools.partial(self.reduce, pickling=pickling)

    def memory(self, value: Any) -> Memory | None:
        """Return the memory on the CPU that arrays of NumPy may share with a value."""
        return None

    def restoring(
        self, objects: Callable[[], Iterable[Part]]
    ) -> contextlib.AbstractContextManager[Any]:
        """Return what surrounds a restore into objects of this process.

        Args:
            objects: returns the named ones that are restored into, with their paths.
        """
        return contextlib.nullcontext()

    def kept_when_emptied(self, value: Any) -> Mapping[str, Any]:
        """Return the attributes that an object keeps when it is restored into."""
        return {}

    # ---- looking --------------------------------------------------------------------------------

    def is_named(self, cls: type) -> bool:
        """Tell whether objects of a class have a name of their own in a snapshot's files."""
        return False

    def parts(self, value: Any) -> list[Part]:
        """Return what makes an object up, as (label, object); labels read like code: `.weight`."""
        return []

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        """Return what finds the parts of all objects of a class; None leaves it to the rules.

        Args:
            cls: of the objects.
            as_pickled: what a pickle saves; False: as they are held, without making copies.
        """
        if type(self).parts is Kind.parts:
            return None
        return self.parts if as_pickled or not self.is_named(cls) else no_parts

    def gradient(self, value: Any) -> Any:
        """Return the gradient that goes with a named object, or None."""
        return None

    def digest(self, value: Any) -> str | None:
        """Return type, shape and digest of the bits of a value; None if its parts say it all."""
        return None

    # ---- random numbers -------------------------------------------------------------------------

    def seed(self, seed: int) -> None:
        """Seed the library's own random numbers."""

    def rng_state(self) -> dict[str, Any]:
        """Return the state of its own random numbers, by names that begin with the library's."""
        return {}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        """Set its own random numbers to what `rng_state` returned, if that is in there.

        Args:
            state: of all kinds.
        """

    def why_inexact(self) -> list[str]:
        """Return which random numbers in use cannot be saved, a sentence each."""
        return []

    def is_generator(self, cls: type) -> bool:
        """Tell whether a class is one of random generators."""
        return False

    def generator_state(self, generator: Any) -> Any:
        """Return what says what a generator will draw: numbers, arrays, text in dicts, tuples."""
        raise NotImplementedError(f"{self.name}: a kind with generators says how they stand")

    # ---- the process ----------------------------------------------------------------------------

    def fingerprint(self) -> dict[str, Any]:
        """Return what its bits depend on besides versions: threads, flags."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Return, in plain values, what another process of the run is to be set to: threads."""
        return {}

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Set this process to what `settings` returned in another, where there was any."""

    def device(self, map_location: Any) -> Any:
        """Return the device of that name; None: the library is not here, or knows no devices.

        Raises:
            ValueError: if it is none, or there is no such device.
        """
        return None

    def move(self, objects: Iterable[Any], device: Any) -> None:
        """Move objects that were built on the CPU to what `device` returned."""

    def takes_weights(self, value: Any) -> bool:
        """Tell whether saved numbers can be written into a value, which stays what it is."""
        return False

    def assign(self, value: Any, numbers: np.ndarray) -> None:
        """Write numbers into a value that takes weights; it has their shape."""


def no_parts(value: Any) -> list[Part]:
    """Return nothing: what `parts_function` returns for objects that are whole."""
    return []


def digest_of_bits(content: bytes) -> str:
    """Return a digest, as those that `Kind.digest` returns end with."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
