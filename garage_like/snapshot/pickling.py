"""The object graph becomes one pickle, with arrays out of band and identity kept.

cloudpickle does the work; the overrides here keep what plain pickling loses: shared memory of
arrays and tensors, environments in mid-episode, the process's own singletons, live classes.
"""

import importlib
import io
import pickle
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import cloudpickle
import numpy as np

from garage_like.errors import SnapshotMismatchError
from garage_like.interfaces import Environment
from garage_like.snapshot import arrays, env_state, live
from garage_like.snapshot.arrays import View
from garage_like.snapshot.live import NEW_OBJECT

RENAMED: dict[tuple[str, str], tuple[str, str]] = {}
"""Classes that have moved since a snapshot was written: (module, name) then → now."""

SINGLETONS = (("dowel", "logger"), ("dowel", "tabular"))
"""Objects that a process has one of: a launcher's globals would carry dead copies of them."""


class GraphPickler(cloudpickle.CloudPickler):
    """Pickle a graph; afterwards `buffers` holds its arrays' memory, `views` says what lies there.

    Args:
        graph: top-level objects by name, such as `{'algo': …, 'env': …}`.
        keep_live: whether objects can be restored into live ones (see `live`).
    """

    def __init__(self, graph: Mapping[str, Any], *, keep_live: bool = True) -> None:
        self._file = io.BytesIO()
        self.buffers: list[np.ndarray] = []
        self.views: list[list[View]] = []
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
        if "torch" in sys.modules:
            from garage_like.snapshot import torch_arrays

            self._torch = torch_arrays
            self._storage_class = sys.modules["torch"].UntypedStorage
            self._generator_class = sys.modules["torch"].Generator
        self._storages: dict[int, Any] = {}
        self._storage_views: dict[int, list[View]] = {}
        self._pending: list[View] = []
        self._keep: list[Any] = []

    def save(self) -> bytes:
        """Return the pickle."""
        self.dump(dict(self._graph))
        return self._file.getvalue()

    def _take_buffer(self, buffer: pickle.PickleBuffer) -> None:
        self.buffers.append(np.frombuffer(buffer.raw(), np.uint8))
        self.views.append(self._pending)
        self._pending = []

    def reducer_override(self, value: Any) -> Any:
        """Say how a value is pickled that pickle does not know by heart."""
        if type(value) is np.ndarray:
            return self._reduce_array(value)
        if self._torch is not None:
            if self._torch.is_tensor(value):
                return self._reduce_tensor(value)
            if type(value) is self._storage_class:
                return self._reduce_storage(value)
            if type(value) is self._generator_class:
                return self._torch.reduce_generator(value)
        if id(value) in self._singletons:
            return importlib_attribute, self._singletons[id(value)]
        if env_state.is_gymnasium_env(value):
            reduced = env_state.reduce_env(value)
            if reduced is not NotImplemented:
                return reduced
        elif env_state.is_mujoco_data(value):
            return env_state.reduce_mujoco_data(value)
        elif isinstance(value, Environment) and env_state.begins_anew(value):
            return NEW_OBJECT, (type(value),), {**value.__dict__, "needs_reset": True}
        if id(value) in self._paths:
            reduced = live.reduce_for_adoption(self._paths[id(value)], value)
            if reduced is not NotImplemented:
                return reduced
        return super().reducer_override(value)

    def _reduce_array(self, array: np.ndarray) -> Any:
        if not arrays.is_plain_array(array):
            return NotImplemented
        owner = arrays.owner_of(array)
        if owner is not array and type(owner) is np.ndarray and arrays.is_plain_array(owner):
            if arrays.is_within(array, owner):
                return arrays.rebuild_view, (owner, *arrays.view_arguments(array, owner))
        elif self._torch is not None and self._torch.is_tensor(owner) and owner.is_contiguous():
            base = owner.detach().numpy()
            if arrays.is_within(array, base):
                return rebuild_view_of_tensor, (owner, *arrays.view_arguments(array, base))
        reduced = arrays.reduce_array(array)
        if reduced is None:
            return NotImplemented
        self._pending = [arrays.view_of(array)]
        return reduced

    def _reduce_tensor(self, tensor: Any) -> Any:
        storage = self._one_storage(tensor.untyped_storage())
        self._storage_views.setdefault(id(storage), []).append(self._torch.view_of(tensor))
        reduced = self._torch.reduce_tensor(tensor)
        cls, _, *rest = reduced[1]
        return (reduced[0], (cls, storage, *rest), *reduced[2:])

    def _one_storage(self, storage: Any) -> Any:
        """Return the first wrapper seen of a storage: torch may hand out several."""
        if storage.nbytes() == 0:
            self._keep.append(storage)
            return storage
        return self._storages.setdefault(storage.data_ptr(), storage)

    def _reduce_storage(self, storage: Any) -> Any:
        self._pending = self._storage_views.setdefault(id(storage), [])
        if storage.nbytes() == 0:
            self._pending = []
        return self._torch.reduce_storage(storage)


class GraphUnpickler(pickle.Unpickler):
    """Load a graph that GraphPickler saved; never changes a class of this process."""

    def __init__(self, content: bytes, buffers: Iterable[Any]) -> None:
        super().__init__(io.BytesIO(content), buffers=buffers)
        self._classes = live.class_loaders()

    def find_class(self, module: str, name: str) -> Any:
        """Look a class or function up, by its present name if it has moved."""
        module, name = RENAMED.get((module, name), (module, name))
        if (module, name) in self._classes:
            return self._classes[module, name]
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError) as error:
            raise SnapshotMismatchError(
                f"the snapshot needs {module}.{name}, which cannot be imported here ({error});"
                " install the package, or put the folder of the module on PYTHONPATH"
            ) from error


def importlib_attribute(module: str, name: str) -> Any:
    """Return this process's own object of that name."""
    return getattr(importlib.import_module(module), name)


def rebuild_view_of_tensor(tensor: Any, *arguments: Any) -> np.ndarray:
    """Build an array that shares memory with a torch tensor."""
    return arrays.rebuild_view(tensor.detach().numpy(), *arguments)


def copy_exactly(value: Any) -> Any:
    """Return a copy by saving and loading: what a snapshot would bring back."""
    pickler = GraphPickler({"value": value}, keep_live=False)
    content = pickler.save()
    buffers = [bytearray(buffer) for buffer in pickler.buffers]
    return GraphUnpickler(content, buffers).load()["value"]
