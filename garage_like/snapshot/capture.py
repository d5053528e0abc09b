"""Capture: the state of a run becomes a pickle and named arrays, copied so that training can go on.

The copy is what a snapshot holds: nothing that training does afterwards can change it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.data.table import Table
from garage_like.errors import (
    SnapshotCorruptError,
    SnapshotError,
    SnapshotRestoreError,
    SnapshotSaveError,
)
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import FileEntry, file_digest_of
from garage_like.snapshot.disk.filesystem import Buffer
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.tables import StagedGroup, capture_table, filling_tables, load_rows
from garage_like.snapshot.disk.tensors import parse
from garage_like.snapshot.graph.components import Components, tensor_file
from garage_like.snapshot.graph.known_names import KnownNames
from garage_like.snapshot.graph.naming import Name, component_and_key
from garage_like.snapshot.graph.own_code import is_own_class
from garage_like.snapshot.graph.parts import is_memory_class
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.graph.places import find_places
from garage_like.snapshot.graph.saved_tree import where_it_fails
from garage_like.snapshot.graph.walk import unpicklable_chain, walk
from garage_like.snapshot.kinds.arrays import View, view_of_bytes
from garage_like.snapshot.kinds.attributes import Part
from garage_like.snapshot.kinds.environments import NOTHING_KNOWN, EnvStates, KnownEnvs
from garage_like.snapshot.kinds.kind import Late, PickleAgainError
from garage_like.snapshot.kinds.registry import KINDS
from garage_like.snapshot.rng import generator_state, global_states, state_digest
from garage_like.snapshot.staging import Staging

_KINDS = "kinds"
"""What a snapshot has the kinds under that its run's program told of."""


@dataclass(frozen=True)
class Capture:
    """A state, copied into a staging area; what goes where is worked out when it is written.

    Attributes:
        objects: the pickle.
        buffers: its arrays' memory, copied.
        views: for each buffer, the arrays that looked at it.
        late: by number, buffers that are still empty, and what knows what is in them.
        names: of those arrays, by id.
        tables: what the manifest says of each table.
        groups: rows of tables that changed, by path inside the snapshot.
        unchanged: files that are as in the last committed snapshot, by path.
        generators: the state of each random generator, by its path in the graph.
        left_out: names of replay memories that were captured without their transitions.
        classes: of the objects.
        made_again: paths and classes of what is made again after a restore, and not saved.
    """

    objects: bytes
    buffers: list[np.ndarray]
    views: list[list[View]]
    late: Mapping[int, Late]
    names: Mapping[int, Name]
    tables: list[dict[str, Any]]
    groups: dict[str, StagedGroup]
    unchanged: dict[str, FileEntry]
    left_out: list[str]
    generators: dict[str, Any]
    made_again: list[str]
    classes: frozenset[type]

    @property
    def arrays(self) -> list[dict[str, Any]]:
        """For each buffer: its size and its pieces, with component, tensor name, first byte."""
        return self._layout[0]

    @property
    def generator_digests(self) -> dict[str, str]:
        """A digest of each random generator, by its path in the graph."""
        return {path: state_digest(state) for path, state in self.generators.items()}

    @property
    def files(self) -> dict[str, list[Buffer]]:
        """What goes to the disk but for tables, by path inside the snapshot."""
        return {layout.OBJECTS: [self.objects], **self._layout[1]}

    @property
    def entries(self) -> dict[str, FileEntry]:
        """What a manifest would say of each file, by path inside the snapshot."""
        made = {path: file_digest_of(pieces) for path, pieces in self.files.items()}
        rows = {path: file_digest_of(group.pieces()) for path, group in self.groups.items()}
        return {**made, **rows, **self.unchanged}

    @functools.cached_property
    def _layout(self) -> tuple[list[dict[str, Any]], dict[str, list[Buffer]]]:
        components = Components(self.names)
        buffers, views = list(self.buffers), list(self.views)
        for number, late in self.late.items():
            content = late.content()
            buffers[number] = np.frombuffer(content, np.uint8)
            views[number] = [view_of_bytes(views[number][0].owner, len(content))]
        arrays = [components.add(*pair) for pair in zip(buffers, views, strict=True)]
        return arrays, components.files()


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector from looking, again and again, through what is being pickled.

    A pickler makes many objects and drops none before it is through, so there is nothing to find.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_collector_at_rest()
def capture(
    graph: Mapping[str, Any],
    staging: Staging | None = None,
    previous: Manifest | None = None,
    *,
    include_buffer: bool = True,
    known_names: KnownNames | None = None,
    env_states: EnvStates = NOTHING_KNOWN,
) -> Capture:
    """Copy the state that a graph of objects is in.

    Args:
        graph: top-level objects by name.
        staging: where to; None for memory of its own.
        previous: the last snapshot that was committed: rows of tables that have not changed since
            are not copied.
        include_buffer: whether replay memory is captured with its transitions.
        known_names: what is known from the captures before, of names and else; None finds it again.
        env_states: what is known of the environments.

    Raises:
        SnapshotSaveError: if something cannot be pickled; names its path in the graph.
    """
    staging = staging or Staging()
    if KINDS.registered:
        graph = {_KINDS: KINDS.registered, **graph}
    kept = None if known_names is None else known_names.kept
    try:
        content, pickler = pickled(graph, include_buffer, staging, env_states, kept)
    except MemoryError:
        raise
    except Exception:  # want of memory, perhaps: pickle makes other errors of that
        try:
            content, pickler = pickled(graph, include_buffer, staging, env_states, kept)
        except MemoryError:
            raise
        except Exception as error:
            raise SnapshotSaveError(_why_unpicklable(graph, error, env_states)) from error
    names = (known_names or KnownNames()).names(graph, pickler)
    folders = _folders(pickler.tables, names)
    memories = _replay_memories(pickler.replay_memories, names)
    tables = [
        capture_table(table, folder, previous, staging.copy)
        for table, folder in zip(pickler.tables, folders, strict=True)
    ]
    for table in tables:
        table.entry["memory"] = _replay_memory_of(table.entry["folder"], memories)
    buffers = [staging.copy(buffer) for buffer in pickler.buffers]
    pickler.let_go()
    return Capture(
        content,
        buffers,
        pickler.views,
        pickler.late,
        names,
        [table.entry for table in tables],
        {name: group for table in tables for name, group in table.changed.items()},
        {name: entry for table in tables for name, entry in table.unchanged.items()},
        [] if include_buffer else memories,
        _generators(graph, pickler.generators, names),
        _with_classes(pickler.made_again, names),
        pickler.classes,
    )


def pickled(
    graph: Mapping[str, Any],
    include_buffer: bool,
    staging: Staging,
    env_states: EnvStates,
    kept: dict[Any, Any] | None = None,
) -> tuple[bytes, GraphPickler]:
    """Pickle a graph as `capture` does, and find out about its environments; copy no array."""
    while True:
        pickler = GraphPickler(
            graph,
            tables_apart=True,
            leave_out_memory=not include_buffer,
            slots_in_rows=True,
            kept=kept,
            twins=staging.twins,
            env_states=env_states,
        )
        with contextlib.suppress(PickleAgainError):
            content = _settled(pickler, env_states)
            pickler.finish()
            return content, pickler


def _settled(pickler: GraphPickler, env_states: EnvStates) -> bytes:
    """Return the pickle, if what is then known of environments does not ask for another one."""
    if not isinstance(env_states, KnownEnvs):
        return pickler.save()
    env_states.begin()
    try:
        content = pickler.save()
    except PickleAgainError:
        raise
    except Exception:
        if env_states.settle():
            raise PickleAgainError from None
        raise
    if env_states.settle():
        raise PickleAgainError
    return content


def _generators(
    graph: Mapping[str, Any], found: Mapping[int, Any], names: Mapping[int, Name]
) -> dict[str, Any]:
    """Return the state of each random generator, those of the process included, by path."""
    states = {
        names[key].path if key in names else f"objects.generator_{number}": generator_state(value)
        for number, (key, value) in enumerate(found.items())
    }
    process = global_states(graph["rng"]) if isinstance(graph.get("rng"), Mapping) else {}
    return states | {f"rng.{name}": state for name, state in process.items()}


def _with_classes(values: Mapping[int, Any], names: Mapping[int, Name]) -> list[str]:
    """Return where objects are, and of which class; but for those that only functions name."""
    return sorted(
        f"{names[number].path} ({type(value).__name__})"
        for number, value in values.items()
        if number in names
    )


def _folders(tables: Sequence[Table], names: Mapping[int, Name]) -> list[str]:
    """Name a folder for each table: the component's name, for its main table, or name and path."""
    folders: list[str] = []
    for number, table in enumerate(tables):
        named = names.get(id(table.changed))
        path = f"algo.table_{number}" if named is None else named.path.removesuffix(".changed")
        component, key = component_and_key(path)
        folder = component if key in ("table", "value") else f"{component}.{key}"
        folders.append(folder if folder not in folders else f"{folder}.{number}")
    return folders


def _replay_memories(memories: Mapping[int, Any], names: Mapping[int, Name]) -> list[str]:
    """Name replay memories as the folders of their tables are."""
    paths = (names[number].path for number in memories if number in names)
    return sorted(component_and_key(f"{path}.table")[0] for path in paths)


def _replay_memory_of(folder: str, memories: Sequence[str]) -> str | None:
    """Return the name of the replay memory that a table belongs to; None if to none."""
    return next((m for m in memories if folder == m or folder.startswith(f"{m}.")), None)


def _why_unpicklable(graph: Mapping[str, Any], error: Exception, env_states: EnvStates) -> str:
    def can_pickle(value: Any) -> bool:
        try:
            GraphPickler({"value": value}, keep_live=False, env_states=env_states).save()
        except Exception:
            return False
        return True

    chain = unpicklable_chain(graph, can_pickle)
    if chain and is_own_class(type(chain[-1][1])):
        found = find_places().items()
        beside = [n for n, at in found if n.startswith("__main__.") and not can_pickle(at.value)]
        if beside:
            return (
                f"{', '.join(beside)} cannot be pickled, and the launcher's code, which is saved"
                f" with the run, uses it: {type(error).__name__}: {error}; make it where it is"
                " used, or have it in a module beside the launcher and call it by that module's"
                " name (module.name): modules are imported, not saved. Earlier snapshots are intact"
            )
    where = chain[-1][0] if chain else "the state of the run"
    return (
        f"{where} cannot be pickled: {type(error).__name__}: {error}; {_what_to_do(chain)}."
        " Earlier snapshots are intact"
    )


def _what_to_do(chain: Sequence[Part]) -> str:
    """Say what helps: a class of the user's can be changed, what it holds of others' cannot."""
    holders = [number for number, (_, value) in enumerate(chain[:-1]) if is_own_class(type(value))]
    if (holders and holders[-1] == len(chain) - 2) or not chain:
        return (
            "leave it out of the object's state (__getstate__) and make it again when it is needed"
        )
    path, value = chain[holders[-1] + 1] if holders else chain[max(0, len(chain) - 2)]
    whole = f", or all of {path} ({type(value).__module__}.{type(value).__qualname__})," * (
        path != chain[-1][0]
    )
    return (
        f"keep {chain[-1][0]}{whole} outside of the run's objects and make it again where it is"
        " used; or say how its library is saved (garage_like.snapshot.register_kind)"
    )


def load_graph(
    manifest: Manifest,
    files: Mapping[str, bytearray],
    name: str,
    *,
    include_buffer: bool = True,
) -> dict[str, Any]:
    """Build the objects of a snapshot from its verified files. This runs code: trust it first.

    Args:
        manifest: of the snapshot.
        files: content of objects.pkl and of every tensor file; of tables, what is to be loaded.
        name: of the snapshot, for messages.
        include_buffer: whether replay memory gets its transitions back; else it is empty.
    """
    buffers = _buffers(manifest, files, name)
    objects = files[layout.OBJECTS]
    rows = [
        load_rows(entry, files, name) if include_buffer or not entry.get("memory") else []
        for entry in manifest.tables
    ]
    try:
        with filling_tables(rows):
            graph = GraphUnpickler(objects, buffers).load()
        KINDS.register_saved(graph.pop(_KINDS, ()))
    except MemoryError:
        raise
    except Exception as error:
        raise SnapshotRestoreError(f"{name}: {why_not_built(objects, buffers, error)}") from error
    if not include_buffer:
        for _, value in walk(graph):
            if is_memory_class(type(value)):
                value.clear()
    return graph


def buffers_of(loaded: Any) -> list[Any]:
    """Return the memory of a loaded snapshot's arrays, in the order of its pickle."""
    return _buffers(loaded.manifest, loaded.files, str(loaded.path))


def _buffers(manifest: Manifest, files: Mapping[str, bytearray], name: str) -> list[Any]:
    tensors = {
        path: parse(content, f"{name}/{path}")
        for path, content in files.items()
        if path.startswith(f"{layout.TENSORS}/")
    }
    buffers = []
    try:
        for entry in manifest.arrays:
            pieces = [
                (tensors[tensor_file(component)][key].content, start)
                for component, key, start in entry["pieces"]
            ]
            buffers.append(_joined(pieces, entry["nbytes"]))
        if layout.OBJECTS not in files:
            raise KeyError(layout.OBJECTS)
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotCorruptError(
            f"{name}: the manifest and the files do not agree on the arrays: {error!r}"
        ) from error
    return buffers


def why_not_built(objects: Buffer, buffers: Sequence[Any], error: Exception) -> str:
    """Return a sentence with path and class of the object that cannot be built."""
    find_class = GraphUnpickler(objects, buffers).find_class
    found = where_it_fails(objects, buffers, find_class)
    where = "{} ({})".format(*found) if found else "an object"  # it can be built the second time
    if isinstance(error, ImportError):
        return (
            f"{where} cannot be built here: {error}; install what is missing, or put the folder of"
            " the module on PYTHONPATH"
        )
    if isinstance(error, SnapshotError):
        return f"{where}: {error}"
    return f"{where} cannot be restored: {type(error).__name__}: {error}"


def _joined(pieces: list[tuple[np.ndarray, int]], nbytes: int) -> np.ndarray:
    if len(pieces) == 1 and pieces[0][0].nbytes == nbytes:
        return pieces[0][0]
    if sum(content.nbytes for content, _ in pieces) != nbytes:
        raise ValueError(f"{nbytes} bytes expected")
    buffer = np.empty(nbytes, np.uint8)
    for content, start in pieces:
        buffer[start : start + content.nbytes] = content
    return buffer
