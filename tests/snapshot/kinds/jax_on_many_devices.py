"""Run by test_jax.py where eight devices are simulated."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.jax import rebuild_array

P = PartitionSpec
assert len(jax.devices()) == 8
mesh = jax.make_mesh((4, 2), ("x", "y"), axis_types=(AxisType.Auto, AxisType.Explicit))
rows = jnp.arange(32.0).reshape(8, 4)
arrays = {
    "sharded": jax.device_put(rows, NamedSharding(mesh, P("x", "y"))),
    "along two axes": jax.device_put(rows, NamedSharding(mesh, P(("x", "y")))),
    "replicated": jax.device_put(rows, NamedSharding(mesh, P())),
    "on the sixth": jax.device_put(rows, jax.devices()[5]),
    "anywhere": rows,
    "keys": jax.device_put(jax.random.split(jax.random.key(1), 8), NamedSharding(mesh, P("x"))),
    "result": jax.jit(lambda x: x * 2)(jax.device_put(rows, NamedSharding(mesh, P("x")))),
}
found = copy_exactly(arrays)
for name, array in arrays.items():
    assert found[name].sharding == array.sharding, name
    assert found[name].committed == array.committed, name
    assert found[name].aval == array.aval, name
assert leaves({"a": found}) == leaves({"a": arrays})

others = {"device": jax.devices()[3], "mesh": mesh, "sharding": NamedSharding(mesh, P("x"))}
assert copy_exactly(others) == others

# Where there are fewer devices, all of it goes to the first.
placement = ("mesh", (("x", 16),), ("Auto",), tuple(range(16)), ("x",), None)
alone = rebuild_array(np.arange(16.0, dtype=np.float32), "float32", (16,), False, placement, None)
assert alone.devices() == {jax.devices()[0]}
assert alone.tolist() == list(range(16))
