"""MuJoCo's `MjData`: the whole state of a simulation, its model included, as bytes.

Turning it into bytes takes longer than all else that is captured of an environment, and MuJoCo
copies it a hundred times as fast. So a capture copies it into a twin, and whoever writes the
snapshot asks the twin for the bytes.
"""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.arrays import view_of_bytes
from garage_like.snapshot.kinds.attributes import Part, PartsFunction, labelled
from garage_like.snapshot.kinds.kind import Kind, Pickling, no_parts


class MujocoKind(Kind):
    """Simulations of MuJoCo."""

    name = "mujoco"
    modules = ("mujoco",)
    versions = ("mujoco",)

    def claims(self, cls: type) -> bool:
        mujoco = sys.modules.get("mujoco")
        return mujoco is not None and cls is mujoco.MjData

    is_named = claims

    def reduce(self, value: Any, pickling: Pickling) -> tuple[Any, ...]:
        content: bytes = b""
        # Before 3.4 a simulation cannot be copied into another from Python.
        if pickling.twins is None or not hasattr(sys.modules["mujoco"], "mj_copyData"):
            content = value.__getstate__()
        else:
            twin = copy_into(pickling.twins, len(pickling.late), value)
            pickling.late[len(pickling.buffers)] = twin
        pickling.announce([view_of_bytes(value, len(content))])
        return rebuild_simulation, (type(value), pickle.PickleBuffer(content))

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return _parts if as_pickled else no_parts


def rebuild_simulation(cls: Any, content: Any) -> Any:
    """Build `MjData`, its model within it."""
    data = cls.__new__(cls)
    data.__setstate__(bytes(content))
    return data


def rebuild_mujoco_data(content: np.ndarray) -> Any:
    """Do what `rebuild_simulation` does, for snapshots from before it."""
    return pickle.loads(content.tobytes())


class Twin:
    """A copy of a simulation, its model included, that is brought up to date again and again.

    Args:
        data: the simulation.
    """

    def __init__(self, data: Any) -> None:
        import mujoco

        self._mujoco = mujoco
        self._live = data
        self._model = copy.copy(data.model)
        self._data = type(data)(self._model)
        self._model_bytes = model_bytes(self._model)
        self._live_bytes = bytearray(self._model_bytes)
        self.follow(data)

    def follow(self, data: Any) -> bool:
        """Become what the simulation is now; return False, and do not, if it is another one."""
        if data is not self._live:
            return False
        self._mujoco.mj_saveModel(data.model, None, np.frombuffer(self._live_bytes, np.uint8))
        self._mujoco.mj_copyData(self._data, self._model, data)
        return True

    def content(self) -> bytes:
        """Return what `MjData.__getstate__` of the simulation did when it was copied."""
        if self._live_bytes != self._model_bytes:
            self._change_model()
        content: bytes = self._data.__getstate__()
        return content

    def _change_model(self) -> None:
        """Take the model that the simulation had when it was copied: one with other numbers."""
        files = {"model.mjb": bytes(self._live_bytes)}
        model = self._mujoco.MjModel.from_binary_path("model.mjb", files)
        data = type(self._data)(model)
        self._mujoco.mj_copyData(data, model, self._data)
        self._model, self._data = model, data
        self._model_bytes[:] = self._live_bytes


def copy_into(twins: list[Twin], number: int, data: Any) -> Twin:
    """Copy a simulation into the twin of that number, or into a new one in its place."""
    if number < len(twins) and twins[number].follow(data):
        return twins[number]
    twins[number:] = [Twin(data), *twins[number + 1 :]]
    return twins[number]


def _parts(data: Any) -> list[Part]:
    return labelled(mujoco_arrays(data))


def mujoco_arrays(data: Any) -> dict[str, Any]:
    """Return the physical state in `MjData`, by name: arrays, counts that go with them, the model.

    The model is the bytes that MuJoCo writes it as: a run may change its numbers, too. What is left
    out says how the state was computed and not what it is: timers, the solver's iterations,
    addresses, which results are cached. Two equal runs differ in those.
    """
    arrays = {}
    for name in dir(data):
        if name.startswith(("_", "solver", "maxuse")):
            continue
        value = getattr(data, name)
        if isinstance(value, np.ndarray):
            arrays[name] = value
    counts = {"time": data.time, "ncon": data.ncon, "nefc": data.nefc}
    return {**arrays, **counts, "model": np.frombuffer(model_bytes(data.model), np.uint8)}


def model_bytes(model: Any) -> bytearray:
    """Return what MuJoCo writes a model as."""
    import mujoco

    content = bytearray(mujoco.mj_sizeModel(model))
    mujoco.mj_saveModel(model, None, np.frombuffer(content, np.uint8))
    return content
