"""The object graph becomes one pickle, with arrays out of band and identity kept.

cloudpickle does the work; the overrides here keep what plain pickling loses: shared memory of
arrays and tensors, environments in mid-episode, the process's own singletons, live classes.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import pickle
import sys
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import cloudpickle
import numpy as np

from garage_like.data.table import Table
from garage_like.envs.env_list import EnvList
from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.disk.filesystem import Buffer
from garage_like.snapshot.disk.tables import rebuild_table
from garage_like.snapshot.graph import absent, columns, exceptions, forwarding, functions, live
from garage_like.snapshot.graph.call_caches import CACHED_FUNCTION
from garage_like.snapshot.graph.cells import fill_cell, make_cell, variables_of
from garage_like.snapshot.graph.naming import Name, names_of
from garage_like.snapshot.graph.parts import is_memory_class
from garage_like.snapshot.graph.renamed import present_name
from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.environments import NOTHING_KNOWN, EnvStates
from garage_like.snapshot.kinds.kind import Kind, Late, Memory, Packing, Pickling, Reducer
from garage_like.snapshot.kinds.memory import MemoryMap
from garage_like.snapshot.kinds.registry import KINDS
from garage_like.snapshot.rng import is_generator_class

T = TypeVar("T")


class GraphPickler(cloudpickle.CloudPickler):
    """Pickle a graph; afterwards `buffers` holds its arrays' memory, `views` says what lies there.

    Args:
        graph: top-level objects by name, such as `{'algo': …, 'env': …}`.
        keep_live: whether objects can be restored into live ones (see `live`).
        tables_apart: whether the rows of tables are left out, to be saved beside the pickle.
        leave_out_memory: whether replay memory is pickled as if it held no transitions.
        slots_in_rows: whether many small arrays may be pickled as one, such as an optimizer's.
        kept: what kinds keep from capture to capture; None: no other follows.
        twins: copies of large objects, from the pickle before, that are brought up to date, and to
            which new ones are appended. None: such objects are pickled as they are.
        env_states: what is known of environments.

    Attributes:
        buffers: memory of the arrays, in the order in which the pickle refers to it. Valid as long
            as this pickler and the graph are left alone.
        views: for each buffer, the arrays that look at it.
        stand_ins: objects whose state is saved as an array, by that array's id.
        late: buffers that are empty and have to be got from a twin, by number.
        tables: those whose rows were left out, in the order in which the pickle refers to them.
        generators: random generators that the graph reaches, by id.
        replay_memories: those that the graph reaches, by id, and what is saved of them: the object
            itself, or a copy without transitions.
        made_again: what the graph reaches and is made again after a restore, by id.
    """

    def __init__(
        self,
        graph: Mapping[str, Any],
        *,
        keep_live: bool = True,
        tables_apart: bool = False,
        leave_out_memory: bool = False,
        slots_in_rows: bool = False,
        kept: dict[Any, Any] | None = None,
        twins: list[Any] | None = None,
        env_states: EnvStates = NOTHING_KNOWN,
    ) -> None:
        self._file = io.BytesIO()
        self.buffers: list[np.ndarray] = []
        self.views: list[list[View]] = []
        self.order: list[int] = []
        self.stand_ins: dict[int, Any] = {}
        self.late: dict[int, Late] = {}
        self.tables: list[Table] = []
        self.generators: dict[int, Any] = {}
        self.replay_memories: dict[int, Any] = {}
        self.made_again: dict[int, Any] = {}
        self.twins = twins
        self.slots_in_rows = slots_in_rows
        self.kept = kept
        self.env_states = env_states
        self.packing = PACKING
        self._tables_apart = tables_apart
        self._leave_out_memory = leave_out_memory
        self._keep_live = keep_live
        super().__init__(self._file, protocol=5, buffer_callback=self._take_buffer)
        self._graph = graph
        components = live.components_of(graph) if keep_live else {}
        self._paths = {id(value): path for path, value in components.items()}
        self._singletons = {
            id(getattr(sys.modules[module], name)): (module, name)
            for kind in KINDS
            for module, name in kind.singletons
            if hasattr(sys.modules.get(module), name)
        }
        self._memory: defaultdict[str, MemoryMap] = defaultdict(MemoryMap)
        self._pending: list[View] = []
        self._reducers: dict[type, Reducer | None] = {}
        self._own: dict[Any, Any] = {}
        self._cells: dict[int, str] = {}
        self._may_import = not cloudpickle.list_registry_pickle_by_value()

    @property
    def classes(self) -> frozenset[type]:
        """Classes of the objects that were pickled, but for Python's plainest and for our own."""
        ours = "garage_like.snapshot.kinds."
        return frozenset(cls for cls in self._reducers if not cls.__module__.startswith(ours))

    def save(self) -> bytes:
        """Return the pickle."""
        with _deep_recursion():
            self.dump(dict(self._graph))
        return self._file.getvalue()

    def finish(self) -> None:
        """Let kinds settle what the next pickle may do at once; they may ask for this one again."""
        for own in self._own.values():
            if hasattr(own, "finish"):
                own.finish()

    def let_go(self) -> None:
        """Let go of the memory of what was pickled, once the buffers are copied.

        A pickler lies in a cycle and remembers what it met; and while anybody looks at the memory
        of an array of JAX, a function that was given it to use again copies it instead.
        """
        self.clear_memo()
        self.buffers = []
        self._memory.clear()
        self._own.clear()

    def announce(self, views: list[View]) -> None:
        """Say what looks at the next buffer."""
        self._pending = views

    def note_place(self, array: Any) -> None:
        """Say that an array of a block is met here, between the buffers before and the next."""
        self.order += (id(array), len(self.views))

    def memory(self, device: str = "cpu") -> MemoryMap:
        """Return who holds which memory of a device."""
        return self._memory[device]

    def foreign_memory(self, value: Any) -> Memory | None:
        """Return the memory that an array has in common with a library's value, if it has."""
        found = (kind.memory(value) for kind in KINDS.of(type(value)))
        return next((memory for memory in found if memory is not None), None)

    def stand_in(self, array: np.ndarray, value: Any) -> np.ndarray:
        """Return an array, to be saved under the name of a value that it says all of."""
        self.stand_ins[id(array)] = value
        return array

    @functools.cached_property
    def _names(self) -> dict[int, Name]:
        return names_of(self._graph) if self._keep_live else {}

    def path_of(self, value: Any) -> str | None:
        """Return the path of a named object; None where nothing can be restored into."""
        name = self._names.get(id(value))
        return None if name is None else name.path

    def own(self, make: Callable[[Pickling], T]) -> T:
        """Return what a kind keeps as long as this graph is pickled."""
        if make not in self._own:
            self._own[make] = make(self)
        found: T = self._own[make]
        return found

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
        """Choose how values of a class are pickled; None: as pickle does by itself."""
        known = _known_of(cls)
        reducer: Reducer | None = None
        for kind in known.kinds:
            reducer = reducer or kind.reducer(cls, self)
        if reducer is None:
            otherwise = known.otherwise
            reducer = getattr(self, otherwise) if isinstance(otherwise, str) else otherwise
        return functools.partial(self._reduce_generator, reducer) if known.is_generator else reducer

    def _reduce_code(self, code: Any) -> Any:
        if self._may_import and is_importable(code):
            return NotImplemented
        if isinstance(code, types.FunctionType):
            for reducer in self._reducers_of_functions:
                reduced = reducer(code)
                if reduced is not NotImplemented:
                    return reduced
        reduced = super().reducer_override(code)
        make, arguments = reduced[:2] if isinstance(reduced, tuple) else (None, ())
        if make is cloudpickle.cloudpickle._make_skeleton_class:
            arguments = (*arguments[:-1], code.__qualname__)  # or else only the last name is told
        elif make is cloudpickle.cloudpickle._make_function:
            self._cells |= variables_of(code)
            name = self._launchers.get(id(code))
            # The variables themselves, which functions share, and not a copy for each.
            arguments = (*arguments[:2], name, arguments[3], code.__closure__)
        else:
            return reduced
        return (make, arguments, *reduced[2:])

    @functools.cached_property
    def _reducers_of_functions(self) -> list[Reducer]:
        """Return what libraries know of functions: that one was compiled, say."""
        kinds = KINDS.of(types.FunctionType)
        found = (kind.reducer(types.FunctionType, self) for kind in kinds)
        return [reducer for reducer in found if reducer is not None]

    @functools.cached_property
    def _launchers(self) -> dict[int, str]:
        """Return what the launcher calls its functions, by id."""
        names = list(vars(sys.modules["__main__"]).items())
        return {id(v): name for name, v in names if isinstance(v, types.FunctionType)}

    def _reduce_cell(self, cell: types.CellType) -> Any:
        key = self._cells.get(id(cell))
        try:
            content = (cell.cell_contents,)
        except ValueError:  # not bound yet
            return make_cell, (key,)
        return make_cell, (key,), content, None, None, fill_cell

    def _reduce_cached_function(self, function: Any) -> Any:
        if self._may_import and is_importable(function):
            return NotImplemented
        return functions.reduce_cached_function(function)

    def _reduce_table(self, table: Table) -> Any:
        if not self._tables_apart:
            return NotImplemented
        self.tables.append(table)
        return rebuild_table, (len(self.tables) - 1, table.state_without_rows())

    def _reduce_env_list(self, envs: EnvList) -> Any:
        reduced, arrays = columns.reduce_env_list(envs, self._is_as_usual)
        self.stand_ins.update((id(array), envs) for array in arrays)
        return reduced

    def _is_as_usual(self, value: Any) -> bool:
        reducer = self._reducer_for(type(value))
        return reducer is None or reducer(value) is NotImplemented

    def _reduce_memory(self, memory: Any) -> Any:
        self.replay_memories[id(memory)] = memory
        if not self._leave_out_memory:
            return NotImplemented
        self.replay_memories[id(memory)] = empty = memory.without_transitions()
        return empty.__reduce_ex__(5)

    def _reduce_generator(self, reducer: Reducer | None, generator: Any) -> Any:
        self.generators[id(generator)] = generator
        return NotImplemented if reducer is None else reducer(generator)


_UNKNOWN: Any = object()


class _Known(NamedTuple):
    """What is known of a class, whatever graph its objects lie in.

    Attributes:
        kinds: that are to be asked about it.
        is_generator: whether it is one of random generators.
        otherwise: what reduces its objects if no kind does; or the name of a method that does.
    """

    kinds: tuple[Kind, ...]
    is_generator: bool
    otherwise: Reducer | str | None


@KINDS.remembered
def _known_of(cls: type) -> _Known:
    ours = _OURS.get(cls)
    if issubclass(cls, type | types.FunctionType):
        ours = "_reduce_code"
    if ours is not None:
        return _Known((), False, ours)
    otherwise: Reducer | str | None = functions.reducer_for(cls)
    if is_memory_class(cls):
        otherwise = "_reduce_memory"
    elif exceptions.is_exception_class(cls):
        otherwise = exceptions.reduce_exception
    elif forwarding.is_forwarding_class(cls):
        otherwise = forwarding.reduce_forwarding
    return _Known(KINDS.of(cls), is_generator_class(cls), otherwise)


@contextlib.contextmanager
def _deep_recursion() -> Iterator[None]:
    """Let pickling nest deeper than usual, where there may be objects that need it."""
    before = sys.getrecursionlimit()
    needed = (kind.recursion for kind in KINDS if kind.recursion and kind.is_loaded())
    sys.setrecursionlimit(max(before, *needed, 0))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


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
        self._classes = {**live.class_loaders(), **absent.loaders()}

    def find_class(self, module: str, name: str) -> Any:
        """Look a class or function up, by its present name if it has moved."""
        module, name = present_name(module, name)
        if (module, name) in self._classes:
            return self._classes[module, name]
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError) as error:
            standing_in = absent.stand_in(module, name)
            if standing_in is not None:
                return standing_in
            raise SnapshotMismatchError(
                f"the snapshot needs {module}.{name}, which cannot be imported here ({error});"
                " install the package, or put the folder of the module on PYTHONPATH"
            ) from error


def reduce_ordered_dict(value: OrderedDict[Any, Any]) -> Any:
    """Do what pickle does, in a quarter of the time: every module of torch holds ten of them."""
    return NotImplemented if vars(value) else (OrderedDict, (), None, None, iter(value.items()))


_OURS: dict[type, Reducer | str] = {
    Table: "_reduce_table",
    EnvList: "_reduce_env_list",
    CACHED_FUNCTION: "_reduce_cached_function",
    types.CellType: "_reduce_cell",
    types.MethodType: live.reduce_method,
    OrderedDict: reduce_ordered_dict,
}


def importlib_attribute(module: str, name: str) -> Any:
    """Return this process's own object of that name, by its present name if it has moved."""
    module, name = present_name(module, name)
    return getattr(importlib.import_module(module), name)


def copy_exactly(
    value: Any, env_states: EnvStates = NOTHING_KNOWN, *, leave_out_memory: bool = False
) -> Any:
    """Return a copy by saving and loading: what a snapshot would bring back.

    Args:
        value: the object.
        env_states: what is known of environments.
        leave_out_memory: whether replay memory is copied as if it held no transitions.
    """
    pickler = GraphPickler(
        {"value": value},
        keep_live=False,
        leave_out_memory=leave_out_memory,
        env_states=env_states,
    )
    content = pickler.save()
    buffers = [bytearray(buffer) for buffer in pickler.buffers]
    pickler.let_go()
    return GraphUnpickler(content, buffers).load()["value"]


def pack(value: Any) -> bytes:
    """Return an object as bytes that another process can take."""
    pickler = GraphPickler({"value": value}, keep_live=False)
    content = pickler.save()
    return pickle.dumps((content, [bytearray(buffer) for buffer in pickler.buffers]))


def unpack(content: bytes) -> Any:
    """Return the object that `pack` turned into bytes."""
    objects, buffers = pickle.loads(content)
    return GraphUnpickler(objects, buffers).load()["value"]


PACKING = Packing(pack, unpack)
