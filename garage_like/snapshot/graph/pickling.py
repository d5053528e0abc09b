"""The object graph becomes one pickle, with arrays out of band and identity kept.

cloudpickle does the work; the overrides here keep what plain pickling loses: shared memory of
arrays and tensors, environments in mid-episode, the process's own singletons, live classes.
"""

from __future__ import annotations

import functools
import importlib
import io
import pickle
import sys
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import cloudpickle
import numpy as np

from garage_like.data.table import Table
from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.disk.filesystem import Buffer
from garage_like.snapshot.disk.tables import rebuild_table
from garage_like.snapshot.graph import (
    ale_state,
    env_state,
    exceptions,
    forwarding,
    functions,
    keras_objects,
    live,
    mujoco_data,
)
from garage_like.snapshot.graph.env_state import NOTHING_KNOWN, EnvStates
from garage_like.snapshot.graph.mujoco_data import Twin
from garage_like.snapshot.graph.naming import names_of
from garage_like.snapshot.graph.parts import is_memory_class
from garage_like.snapshot.graph.renamed import present_name
from garage_like.snapshot.graph.tf_arrays import TensorReducers
from garage_like.snapshot.kinds import arrays, made_again
from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.memory import MemoryMap
from garage_like.snapshot.rng import is_generator_class

SINGLETONS = (("dowel", "logger"), ("dowel", "tabular"))
"""Objects that a process has one of: a launcher's globals would carry dead copies of them."""

Reducer = Callable[[Any], Any]


class SharedSlotError(Exception):
    """Something else holds a slot of an optimizer, too; the next attempt leaves it as it is."""


class GraphPickler(cloudpickle.CloudPickler):
    """Pickle a graph; afterwards `buffers` holds its arrays' memory, `views` says what lies there.

    Args:
        graph: top-level objects by name, such as `{'algo': …, 'env': …}`.
        keep_live: whether objects can be restored into live ones (see `live`).
        tables_apart: whether the rows of tables are left out, to be saved beside the pickle.
        leave_out_memory: whether replay memory is pickled as if it held no transitions.
        slots_in_rows: whether slots of optimizers are pickled as rows, see `torch_slots`.
        twins: of simulations, from the pickle before; simulations are copied into them, and new
            ones are appended. None: simulations are pickled as they are.

    Attributes:
        buffers: memory of the arrays, in the order in which the pickle refers to it. Valid as long
            as this pickler and the graph are left alone.
        views: for each buffer, the arrays that look at it.
        stand_ins: objects whose state is saved as an array, by that array's id.
        late: buffers that are empty and have to be got from a twin, by number.
        tables: those whose rows were left out, in the order in which the pickle refers to them.
        generators: random generators that the graph reaches, by id.
        memories: replay memory that the graph reaches, by id, and what is saved of it: the object
            itself, or a copy without transitions.
        made_again: what the graph reaches and is made anew after a restore, by id.
    """

    def __init__(
        self,
        graph: Mapping[str, Any],
        *,
        keep_live: bool = True,
        tables_apart: bool = False,
        leave_out_memory: bool = False,
        slots_in_rows: bool = False,
        twins: list[Twin] | None = None,
        env_states: EnvStates = NOTHING_KNOWN,
    ) -> None:
        self._file = io.BytesIO()
        self.buffers: list[np.ndarray] = []
        self.views: list[list[View]] = []
        self.stand_ins: dict[int, Any] = {}
        self.late: dict[int, Twin] = {}
        self.tables: list[Table] = []
        self.generators: dict[int, Any] = {}
        self.memories: dict[int, Any] = {}
        self.made_again: dict[int, Any] = {}
        self._tables_apart = tables_apart
        self._leave_out_memory = leave_out_memory
        self._twins = twins
        self._env_states = env_states
        super().__init__(self._file, protocol=5, buffer_callback=self._take_buffer)
        self._graph = graph
        components = live.components_of(graph) if keep_live else {}
        self._paths = {id(value): path for path, value in components.items()}
        self._singletons = {
            id(getattr(sys.modules[module], name)): (module, name)
            for module, name in SINGLETONS
            if hasattr(sys.modules.get(module), name)
        }
        self._torch: Any = None
        self._torch_slots: Any = None
        self._in_rows: set[int] = set()
        self._met: set[int] = set()
        if "torch" in sys.modules:
            from garage_like.snapshot.graph import torch_arrays, torch_slots

            self._torch = torch_arrays
            self._torch_slots = torch_slots if slots_in_rows else None
        self._tensorflow: TensorReducers | None = None
        if hasattr(sys.modules.get("tensorflow"), "Variable"):
            names = names_of(graph) if keep_live else {}
            paths = {number: name.path for number, name in names.items()}
            self._tensorflow = TensorReducers(self._announce, self.stand_ins, paths)
        self._memory: defaultdict[str, MemoryMap] = defaultdict(MemoryMap)
        self._pending: list[View] = []
        self._reducers: dict[type, Any] = {}
        self._may_import = not cloudpickle.list_registry_pickle_by_value()

    def save(self) -> bytes:
        """Return the pickle."""
        with keras_objects.deep_recursion():
            self.dump(dict(self._graph))
        return self._file.getvalue()

    def _announce(self, view: View) -> None:
        """Say what looks at the next buffer."""
        self._pending = [view]

    def _take_buffer(self, buffer: pickle.PickleBuffer) -> None:
        self.buffers.append(np.frombuffer(buffer.raw(), np.uint8))
        self.views.append(self._pending)
        self._pending = []

    def reducer_override(self, value: Any) -> Any:
        """Say how a value is pickled that pickle does not know by heart."""
        if id(value) in self._singletons:
            return importlib_attribute, self._singletons[id(value)]
        cls = type(value)
        reducer = self._reducers.get(cls, _UNKNOWN)
        if reducer is _UNKNOWN:
            reducer = self._reducers[cls] = self._reducer_for(cls)
        reduced = NotImplemented if reducer is None else reducer(value)
        if id(value) in self._paths:
            return live.reduce_for_adoption(self._paths[id(value)], value, reduced)
        return reduced

    def _reducer_for(self, cls: type) -> Reducer | None:
        if self._tensorflow is not None:
            reducer = keras_objects.reducer_for(cls) or self._tensorflow.reducer_for(cls)
            if reducer is not None:
                return reducer
        found = _reducer_for(cls)
        return getattr(self, found) if isinstance(found, str) else found

    def _reduce_made_again(self, value: Any) -> Any:
        reduced = made_again.reduce(value)
        if reduced is not NotImplemented and reduced[0] is made_again.made_again:
            self.made_again[id(value)] = value
        return reduced

    def _reduce_code(self, code: Any) -> Any:
        if self._may_import and is_importable(code):
            return NotImplemented
        return super().reducer_override(code)

    def _reduce_cached_function(self, function: Any) -> Any:
        if self._may_import and is_importable(function):
            return NotImplemented
        return functions.reduce_cached_function(function)

    def _reduce_table(self, table: Table) -> Any:
        if not self._tables_apart:
            return NotImplemented
        self.tables.append(table)
        return rebuild_table, (len(self.tables) - 1, table.state_without_rows())

    def _reduce_memory(self, memory: Any) -> Any:
        self.memories[id(memory)] = memory
        if not self._leave_out_memory:
            return NotImplemented
        self.memories[id(memory)] = empty = memory.without_transitions()
        return empty.__reduce_ex__(5)

    def _reduce_generator(self, generator: Any) -> Any:
        self.generators[id(generator)] = generator
        return NotImplemented

    def _reduce_torch_generator(self, generator: Any) -> Any:
        self.generators[id(generator)] = generator
        return self._torch.reduce_generator(generator)

    def _reduce_mujoco_data(self, data: Any) -> Any:
        if self._twins is None:
            return mujoco_data.reduce_simulation(data, self._announce)
        self._announce(mujoco_data.view_of_bytes(data, 0))
        self.late[len(self.buffers)] = mujoco_data.copy_into(self._twins, len(self.late), data)
        return mujoco_data.reduce_later(data)

    def _reduce_env(self, env: Any) -> Any:
        return env_state.reduce_env(env, self._env_states)

    def _reduce_array(self, array: np.ndarray) -> Any:
        if not arrays.is_plain_array(array):
            return NotImplemented
        if array.base is None and array.flags.c_contiguous:
            return self._reduce_owning_array(array)
        whole = arrays.whole_array(array)
        memory = self._memory["cpu"]
        base: Any = whole.base
        if self._torch is not None and self._torch.is_tensor(base):
            storage = base.untyped_storage()
            holder, start = memory.holder(storage.data_ptr(), storage.nbytes(), storage)
        elif arrays.axes_in_memory(whole.shape, whole.strides, whole.itemsize) is None:
            return NotImplemented
        else:
            holder, start = memory.holder(arrays.address(whole), whole.nbytes, whole)
        memory.views[id(holder)].append(arrays.view_of(array, start))
        if holder is array:
            self._pending = memory.views[id(holder)]
            return arrays.reduce_array(array)
        arguments = (holder, *arrays.view_arguments(array, start))
        if isinstance(holder, np.ndarray):
            return arrays.rebuild_view, arguments
        return rebuild_view_of_storage, arguments

    def _reduce_owning_array(self, array: np.ndarray) -> Any:
        """Do what `_reduce_array` does for what nearly all arrays are, in a third of the time."""
        memory = self._memory["cpu"]
        holder, start = memory.holder(arrays.address(array), array.nbytes, array)
        views = memory.views[id(holder)]
        views.append(arrays.view_of_whole(array))
        if holder is not array:  # memory that a tensor looks at, too
            return rebuild_view_of_storage, (holder, *arrays.view_arguments(array, start))
        self._pending = views
        return arrays.reduce_whole(array)

    def _reduce_optimizer(self, optimizer: Any) -> Any:
        reduced = self._torch.reduce_optimizer(optimizer)
        if self._torch_slots is None or reduced is NotImplemented:
            return reduced
        rows = self._torch_slots.rows_of(optimizer)
        if rows is None or not self._met.isdisjoint(rows.ids):
            return reduced
        self._in_rows |= rows.ids
        make, arguments, state = reduced
        return make, arguments, {**state, "state": rows}

    def _reduce_rows(self, rows: Any) -> Any:
        memory = self._memory["cpu"]
        for vector, views in rows.memories():
            storage = vector.untyped_storage()
            address = storage.data_ptr()
            holder, start = memory.holder(address, storage.nbytes(), vector)
            inside = address - start
            if inside:
                views = [view._replace(start=view.start + inside) for view in views]
            memory.views[id(holder)] += views
        return rows.reduce()

    def _meet(self, value: Any) -> None:
        """Note that an object is pickled as such; it must not be one of those in rows."""
        self._met.add(id(value))
        if id(value) in self._in_rows:
            self._torch_slots.leave_as_it_is(value)
            raise SharedSlotError

    def _reduce_defaultdict(self, value: Any) -> Any:
        self._meet(value)
        return NotImplemented

    def _reduce_tensor(self, tensor: Any) -> Any:
        self._meet(tensor)
        if not self._torch.is_tensor(tensor):
            return NotImplemented
        storage, offset = tensor.untyped_storage(), tensor.storage_offset()
        nbytes, shape = storage.nbytes(), tuple(tensor.shape)
        if not nbytes:
            return self._torch.reduce_tensor(tensor, storage, offset, shape)
        is_cpu = tensor.is_cpu
        memory = self._memory["cpu" if is_cpu else str(tensor.device)]
        address, itemsize = storage.data_ptr(), tensor.element_size()
        holder, start = memory.holder(address, nbytes, tensor if is_cpu else storage)
        inside = address - start
        views = memory.views[id(holder)]
        views.append(self._torch.view_of(tensor, shape, inside + offset * itemsize, itemsize))
        if holder is tensor:
            self._pending = views
            return self._torch.reduce_owner(tensor, storage, offset, shape)
        if isinstance(holder, np.ndarray):
            holder = arrays.memory_of(holder)[inside : inside + nbytes]
        elif inside % itemsize:
            holder = self._torch.array_of(self._torch.storage_of(holder))[inside : inside + nbytes]
        else:
            offset += inside // itemsize
        return self._torch.reduce_tensor(tensor, holder, offset, shape)

    def _reduce_storage(self, storage: Any) -> Any:
        device = str(storage.device)
        memory = self._memory[device]
        views = memory.views.get(id(storage))
        if views is not None or storage.nbytes() == 0:
            self._pending = views or []
            return self._torch.reduce_storage(storage, device)
        holder, start = memory.holder(storage.data_ptr(), storage.nbytes(), storage)
        if holder is storage:
            return self._torch.reduce_storage(storage, device)
        inside = storage.data_ptr() - start
        if not isinstance(holder, np.ndarray):
            whole = self._torch.storage_of(holder)
            if whole is storage:
                return self._torch.storage_of, (holder,)
            holder = self._torch.array_of(whole)
        part = arrays.memory_of(holder)[inside : inside + storage.nbytes()]
        return self._torch.storage_of, (part,)


_UNKNOWN = object()


@functools.lru_cache(4096)
def _reducer_for(cls: type) -> Reducer | str | None:
    """Choose how values of a class are pickled.

    Returns:
        A function, or the name of a method of GraphPickler; None: as pickle does by itself.
    """
    if cls is np.ndarray or cls is np.memmap:
        return "_reduce_array"
    if cls is Table:
        return "_reduce_table"
    if issubclass(cls, type | types.FunctionType):
        return "_reduce_code"
    if cls is functions.CACHED_FUNCTION:
        return "_reduce_cached_function"
    if cls is types.MethodType:
        return live.reduce_method
    if cls is OrderedDict:
        return reduce_ordered_dict
    if cls is defaultdict:
        return "_reduce_defaultdict"
    if "torch" in sys.modules:
        from garage_like.snapshot.graph import torch_arrays, torch_slots

        if cls is torch_slots.SlotRows:
            return "_reduce_rows"
        reducer = torch_arrays.reducer_for(cls)
        if reducer is not None:
            return reducer
    if is_generator_class(cls):
        return "_reduce_generator"
    if cls is np.random.SeedSequence:
        return reduce_seed_sequence
    if cls is types.GeneratorType:
        return reduce_iterator
    if is_memory_class(cls):
        return "_reduce_memory"
    if mujoco_data.is_mujoco_data_class(cls):
        return "_reduce_mujoco_data"
    if env_state.is_env_class(cls):
        return "_reduce_env"
    if ale_state.is_ale_class(cls):
        return ale_state.reduce_ale
    if made_again.is_made_again(cls):
        return "_reduce_made_again"
    if exceptions.is_exception_class(cls):
        return exceptions.reduce_exception
    if forwarding.is_forwarding_class(cls):
        return forwarding.reduce_forwarding
    return functions.reducer_for(cls)


def is_importable(code: Any) -> bool:
    """Tell whether a class or function is what its module calls by its name.

    Those are pickled by name; cloudpickle finds the same out, in ten times the time.
    """
    module = code.__module__
    if module is None or module == "__main__":
        return False
    return getattr(sys.modules.get(module), code.__qualname__, None) is code


class GraphUnpickler(pickle.Unpickler):
    """Load a graph that GraphPickler saved; never changes a class of this process."""

    def __init__(self, content: Buffer, buffers: Iterable[Any]) -> None:
        super().__init__(io.BytesIO(content), buffers=buffers)
        self._classes = live.class_loaders()

    def find_class(self, module: str, name: str) -> Any:
        """Look a class or function up, by its present name if it has moved."""
        module, name = present_name(module, name)
        if (module, name) in self._classes:
            return self._classes[module, name]
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError) as error:
            raise SnapshotMismatchError(
                f"the snapshot needs {module}.{name}, which cannot be imported here ({error});"
                " install the package, or put the folder of the module on PYTHONPATH"
            ) from error


def reduce_ordered_dict(value: OrderedDict[Any, Any]) -> Any:
    """Do what pickle does, in a quarter of the time: every module of torch holds ten of them."""
    return NotImplemented if vars(value) else (OrderedDict, (), None, None, iter(value.items()))


def reduce_iterator(iterator: types.GeneratorType[Any, Any, Any]) -> Any:
    """Return how pickle saves a Python generator that has ended; one that goes on cannot be."""
    return NotImplemented if iterator.gi_frame is not None else (ended_iterator, ())


def ended_iterator() -> Iterator[Any]:
    """Return a Python generator that has ended."""
    nothing = (value for value in iter(""))
    next(nothing, None)
    return nothing


def reduce_seed_sequence(seeds: np.random.SeedSequence) -> tuple[Any, ...]:
    """Return how pickle saves what generators are seeded by, without what follows from it."""
    state = seeds.state
    return rebuild_seed_sequence, (
        state["entropy"],
        state["spawn_key"],
        state["pool_size"],
        state["n_children_spawned"],
    )


def rebuild_seed_sequence(
    entropy: Any, spawn_key: Sequence[int], pool_size: int, n_children_spawned: int
) -> np.random.SeedSequence:
    """Build what goes on to spawn where the saved one stood."""
    return np.random.SeedSequence(
        entropy,
        spawn_key=spawn_key,
        pool_size=pool_size,
        n_children_spawned=n_children_spawned,
    )


def importlib_attribute(module: str, name: str) -> Any:
    """Return this process's own object of that name."""
    return getattr(importlib.import_module(module), name)


def rebuild_view_of_storage(storage: Any, *arguments: Any) -> np.ndarray:
    """Build an array that shares memory with a storage of torch, or a tensor's."""
    from garage_like.snapshot.graph.torch_arrays import array_of, storage_of

    return arrays.rebuild_view(array_of(storage_of(storage)), *arguments)


def copy_exactly(value: Any, env_states: EnvStates = NOTHING_KNOWN) -> Any:
    """Return a copy by saving and loading: what a snapshot would bring back."""
    pickler = GraphPickler({"value": value}, keep_live=False, env_states=env_states)
    content = pickler.save()
    buffers = [bytearray(buffer) for buffer in pickler.buffers]
    return GraphUnpickler(content, buffers).load()["value"]
