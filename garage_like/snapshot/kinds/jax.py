"""JAX: arrays out of band under readable names, keys, shardings, jitted functions as code.

An array comes back with its type, a weak one too, on the devices that it was put on. Where JAX is
not installed it comes back as NumPy's, so that a policy that acts in NumPy can be loaded there.

A view of an array's memory that outlives the capture would make JAX copy what it is to donate, and
say nothing; whoever has the pickle's buffers lets go of them once they are copied.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from garage_like.errors import SnapshotSaveError
from garage_like.snapshot.disk.dtypes import numbers, told_dtype
from garage_like.snapshot.kinds.arrays import View
from garage_like.snapshot.kinds.attributes import Part, PartsFunction, attributes_of, labelled
from garage_like.snapshot.kinds.kind import Kind, Pickling, digest_of_bits, no_parts

_SETTINGS = (
    "jax_enable_x64",
    "jax_default_prng_impl",
    "jax_threefry_partitionable",
    "jax_default_matmul_precision",
    "jax_numpy_dtype_promotion",
    "jax_disable_jit",
)
"""What bits were measured to depend on, or what changes the types of results."""

_HARMLESS_FLAGS = ("--xla_force_host_platform_device_count", "--xla_cpu_multi_thread_eigen")
"""Flags of XLA that bits were measured not to depend on, as long as arrays lie where they did."""

_ARRAYS = {"ArrayImpl": "array", "PRNGKeyArray": "key"}
_OTHERS = {"PjitFunction": "function", "Device": "device", "Compiled": "executable"}
_IN_ORDER = tuple(range(64))

Placement = tuple[Any, ...]
"""How an array lies on devices, by names and numbers that another process knows."""


class JaxKind(Kind):
    """What a snapshot has to know of JAX, and of the containers of flax."""

    name = "jax"
    modules = ("jax",)
    versions = ("jax", "jaxlib", "flax", "optax", "equinox", "distrax", "gymnax", "brax", "navix")

    def claims(self, cls: type) -> bool:
        """Tell whether a class is one of JAX's arrays, keys, functions, devices, or of flax."""
        return _role(cls) is not None

    def reduce(self, value: Any, pickling: Pickling) -> Any:
        """Return how pickle saves what JAX would not, or in another memory."""
        role = _role(type(value))
        if role in ("array", "key"):
            return _reduce_array(value, pickling, is_key=role == "key")
        if role == "function":
            return _reduce_function(value)
        if role == "device":
            return rebuild_device, (value.platform, value.id)
        if role == "executable":
            raise pickle.PicklingError(
                "an executable that was compiled ahead of time belongs to its process; keep the"
                " jitted function, and compile it again when it is needed"
            )
        return NotImplemented

    # ---- looking --------------------------------------------------------------------------------

    def is_named(self, cls: type) -> bool:
        return _role(cls) in ("array", "key")

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        """Return what finds the parts of objects: containers of flax look like what they hold."""
        if _role(cls) == "variable":
            return _variable_parts
        return _frozen_parts if _role(cls) == "frozen" else no_parts

    def digest(self, value: Any) -> str | None:
        """Return type, shape and digest of the bits of an array; of a function, its name."""
        role = _role(type(value))
        if role == "function":
            function = getattr(value, "__wrapped__", value)
            return f"code:{function.__module__}.{getattr(function, '__name__', '')}"
        if role == "device":
            return f"device:{value.platform}:{value.id}"
        if role not in ("array", "key"):
            return None
        impl, data = _key_data(value) if role == "key" else ("", value)
        weak = " weak" if not impl and value.weak_type else ""
        bits = digest_of_bits(_on_host(data).tobytes())
        return f"jax.{impl}{data.dtype.name}{data.shape}{weak}:{bits}"

    # ---- the process ----------------------------------------------------------------------------

    def fingerprint(self) -> dict[str, Any]:
        jax = sys.modules["jax"]
        flags = os.environ.get("XLA_FLAGS", "").split()
        told: dict[str, Any] = {
            "xla_flags": " ".join(sorted(f for f in flags if not f.startswith(_HARMLESS_FLAGS))),
            **{
                name.removeprefix("jax_"): str(getattr(jax.config, name))
                for name in _SETTINGS
                if hasattr(jax.config, name)
            },
        }
        if _has_begun():
            devices = {device.platform: device.device_kind for device in jax.devices()}
            told["devices"] = devices
            put = [len(a.sharding.device_set) for a in jax.live_arrays() if a.committed]
            if put:  # where there are fewer devices, arrays are put on the first
                told["arrays"] = {"devices": max(put)}
        return told


def _has_begun() -> bool:
    """Tell whether JAX has looked for devices; asking it for them takes hold of all of a GPU."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    has_begun = getattr(bridge, "backends_are_initialized", None)
    return has_begun is None or bool(has_begun())


def _role(cls: type) -> str | None:
    """Return what a class is here for; loads nothing."""
    package = cls.__module__.partition(".")[0]
    if package in ("jax", "jaxlib"):
        return _ARRAYS.get(cls.__name__) or _OTHERS.get(cls.__name__)
    if "flax" not in sys.modules:
        return None
    for base in cls.__mro__:
        if base.__module__ == "flax.nnx.variablelib" and base.__name__ == "Variable":
            return "variable"
        if base.__module__ == "flax.core.frozen_dict" and base.__name__ == "FrozenDict":
            return "frozen"
    return None


def _variable_parts(variable: Any) -> list[Part]:
    """Return the value of a flax.nnx.Variable under the name of the variable itself."""
    parts = attributes_of(variable)
    return [("" if "raw_value" in label else label, part) for label, part in parts]


def _frozen_parts(value: Any) -> list[Part]:
    return labelled(dict(value))


# ---- arrays ---------------------------------------------------------------------------------


def _reduce_array(array: Any, pickling: Pickling, *, is_key: bool) -> Any:
    impl, data = _key_data(array) if is_key else (None, array)
    if not data.is_fully_addressable:
        raise SnapshotSaveError(
            f"part of an array of shape {data.shape} lies in other processes: gather it first"
            " (jax.experimental.multihost_utils.process_allgather)"
        )
    content = _on_host(data)
    view = View(
        array,
        told_dtype(content.dtype),
        content.shape,
        0,
        content.nbytes,
        _IN_ORDER[: content.ndim],
    )
    memory: Any = b""
    if content.nbytes:
        pickling.announce([view])
        memory = pickle.PickleBuffer(content.reshape(-1).view(np.uint8).data)
    placement = _placement(data) if data.committed else None
    is_weak = impl is None and bool(array.weak_type)
    return rebuild_array, (memory, content.dtype.name, content.shape, is_weak, placement, impl)


def _key_data(key: Any) -> tuple[str, Any]:
    """Return the implementation of a typed key, and its numbers."""
    jax = sys.modules["jax"]
    return str(jax.random.key_impl(key)), jax.random.key_data(key)


def _on_host(array: Any) -> np.ndarray:
    """Return an array as NumPy's: a view of its memory where that is the host's, once computed."""
    return np.ascontiguousarray(np.asarray(array)).reshape(array.shape)


def _placement(array: Any) -> Placement:
    """Return how an array lies on devices that it was put on."""
    jax, sharding = sys.modules["jax"], array.sharding
    kind = sharding.memory_kind
    if isinstance(sharding, jax.sharding.NamedSharding):
        mesh = sharding.mesh
        axis_types = tuple(axis_type.name for axis_type in mesh.axis_types)
        ids = tuple(int(device.id) for device in mesh.devices.flat)
        return "mesh", tuple(mesh.shape.items()), axis_types, ids, tuple(sharding.spec), kind
    if len(sharding.device_set) == 1:
        (device,) = sharding.device_set
        return "device", int(device.id), kind
    return "sharding", sharding


def rebuild_array(
    buffer: Any,
    dtype: str,
    shape: Sequence[int],
    is_weak: bool,
    placement: Placement | None,
    impl: str | None,
) -> Any:
    """Build an array or a key; where there is no JAX, NumPy's array of its numbers."""
    try:
        jax = importlib.import_module("jax")
    except ImportError:
        return numbers(np.frombuffer(buffer, np.uint8).copy(), _told(dtype), tuple(shape))
    content = np.frombuffer(buffer, np.uint8).view(_dtype(dtype)).reshape(shape)
    # A copy: JAX may go on looking at what it is handed. (jax.numpy.array compiles for each shape.)
    array = jax.device_put(content.copy())
    if placement is not None:
        array = jax.device_put(array, _sharding(placement))
    if impl is not None:
        return jax.random.wrap_key_data(array, impl=impl)
    return _weak(array) if is_weak else array


def rebuild_device(platform: str, number: int) -> Any:
    """Return the device of that number, or the first where there are fewer; None without JAX."""
    try:
        devices = importlib.import_module("jax").devices(platform)
    except ImportError:
        return None
    return {device.id: device for device in devices}.get(number, devices[0])


def _sharding(placement: Placement) -> Any:
    """Return where to put an array: where it was, or on the first device if that is not here."""
    jax = importlib.import_module("jax")
    devices = {device.id: device for device in jax.devices()}
    first = jax.devices()[0]
    if placement[0] == "sharding":
        return placement[1]
    if placement[0] == "device":
        device = devices.get(placement[1], first)
        return _single(device, placement[2])
    _, axes, axis_types, ids, spec, kind = placement
    if not devices.keys() >= set(ids):
        return _single(first, None)
    grid = np.array([devices[number] for number in ids]).reshape([size for _, size in axes])
    types = tuple(getattr(jax.sharding.AxisType, name) for name in axis_types)
    mesh = jax.sharding.Mesh(grid, tuple(name for name, _ in axes), axis_types=types)
    where = jax.sharding.PartitionSpec(*spec)
    return jax.sharding.NamedSharding(mesh, where, memory_kind=kind)


def _single(device: Any, kind: str | None) -> Any:
    jax = importlib.import_module("jax")
    return jax.sharding.SingleDeviceSharding(device, memory_kind=kind)


def _weak(array: Any) -> Any:
    """Give an array its weak type back: a strong one changes types of results."""
    lax = importlib.import_module("jax._src.lax.lax")  # there is no public way
    return lax._convert_element_type(array, weak_type=True)


def _dtype(name: str) -> np.dtype:
    """Return a type by its name; JAX brings those along that NumPy lacks."""
    own = getattr(importlib.import_module("ml_dtypes"), name, None)
    return np.dtype(name if own is None else own)


def _told(name: str) -> str:
    try:
        return told_dtype(np.dtype(name)) or name
    except TypeError:  # a type that NumPy lacks is told by its name
        return name


# ---- functions ------------------------------------------------------------------------------


_OPTIONS = ("static_argnums", "static_argnames", "keep_unused", "inline", "device", "backend")


def _reduce_function(function: Any) -> Any:
    """Return how pickle saves a jitted function: as code; it is traced again when it is called.

    Left to itself, JAX would save what belongs to one release of it and to one process.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module not in (None, "__main__") and find(module, name) is function:
        return find, (module, name)
    told: Any = getattr(function, "_jit_info", None)
    python_function = getattr(function, "__wrapped__", None)
    shardings = ("user_specified_in_shardings", "out_shardings_leaves", "compiler_options_kvs")
    if python_function is None or any(not hasattr(told, option) for option in shardings):
        return NotImplemented
    is_told = any(
        type(leaf).__name__ != "UnspecifiedValue"
        for leaf in (*told.in_shardings_leaves, *told.out_shardings_leaves)
    )
    if is_told or told.compiler_options_kvs:
        return NotImplemented
    options = {option: getattr(told, option) for option in _OPTIONS}
    donated = "donate_argnums" if told.donate_argnums else "donate_argnames"
    options[donated] = getattr(told, donated)
    return rebuild_jitted, (
        python_function,
        {option: value for option, value in options.items() if value not in (None, (), False)},
    )


def rebuild_jitted(python_function: Any, options: dict[str, Any]) -> Any:
    """Return a function that is compiled when it is called; without JAX, as it was written."""
    try:
        return importlib.import_module("jax").jit(python_function, **options)
    except ImportError:
        return python_function


def find(module: str, name: str) -> Any:
    """Return what a module calls by a name; None if there is no such thing."""
    try:
        found: Any = importlib.import_module(module)
    except ImportError:
        return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
