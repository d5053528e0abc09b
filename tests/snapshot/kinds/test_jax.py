"""What JAX holds comes back as it was: arrays, keys, shardings, libraries of layers, code."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import equinox
import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from flax.training.train_state import TrainState

from garage_like.errors import SnapshotSaveError
from garage_like.snapshot import read_snapshot
from garage_like.snapshot.capture import capture
from garage_like.snapshot.fingerprint import differences, take_fingerprint
from garage_like.snapshot.graph.known_names import KnownNames
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.staging import Staging

ON_MANY_DEVICES = Path(__file__).parent / "jax_on_many_devices.py"
SMALL = ["bfloat16", "int4", "uint4", "float8_e4m3fn", "float8_e5m2", "float4_e2m1fn"]
ARRAYS = {
    **{name: lambda name=name: jnp.arange(5).astype(getattr(jnp, name)) for name in SMALL},
    "float32": lambda: jnp.linspace(0, 1, 7),
    "matrix": lambda: jnp.arange(12).reshape(3, 4),
    "turned": lambda: jnp.arange(12).reshape(3, 4).T,
    "bool": lambda: jnp.array([True, False]),
    "complex": lambda: jnp.array([1 + 2j]),
    "scalar": lambda: jnp.float32(3),
    "empty": lambda: jnp.zeros((0, 3)),
    "weak": lambda: jnp.asarray(1.0),
    "weak integers": lambda: jnp.asarray(2),
    "weak vector": lambda: jax.lax.full((3,), 1.0) * jnp.asarray(2.0),
    "committed": lambda: jax.device_put(jnp.ones(3), jax.devices()[0]),
    "key": lambda: jax.random.key(3),
    "keys": lambda: jax.random.split(jax.random.key(3, impl="rbg"), 2),
    "old key": lambda: jax.random.PRNGKey(1),
}


class Algo:
    pass


def algo_of(**parts):
    algo = Algo()
    vars(algo).update(parts)
    return algo


def bits(tree):
    def of(leaf):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        return np.asarray(leaf).tobytes()

    return [of(leaf) for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array)]


@pytest.mark.parametrize("kind", ARRAYS)
def test_array_comes_back_with_its_type(kind):
    array = ARRAYS[kind]()
    found = copy_exactly({"array": array})["array"]
    assert found.aval == array.aval
    assert getattr(found, "weak_type", None) == getattr(array, "weak_type", None)
    assert found.sharding == array.sharding
    assert found.committed == array.committed
    assert bits(found) == bits(array)
    assert leaves({"a": found}) == leaves({"a": array})


def test_bits_that_differ_are_seen():
    for one, other in [
        (jnp.ones(2), jnp.ones(2).at[0].set(1.5)),
        (jnp.ones(2), jnp.ones(2, jnp.int32)),
        (jnp.asarray(1.0), jnp.float32(1)),
        (jax.random.key(1), jax.random.key(2)),
        (jax.random.key(1), jax.random.key(1, impl="rbg")),
    ]:
        assert leaves({"a": one}) != leaves({"a": other})


def test_arrays_lie_out_of_band_under_readable_names(tensors_of):
    params = {"Dense_0": {"kernel": jnp.ones((2, 3)), "bias": jnp.zeros(3, jnp.bfloat16)}}
    found = tensors_of({"algo": algo_of(params=params, key=jax.random.key(0))})
    assert found["params"] == {"Dense_0.kernel": ("F32", (2, 3)), "Dense_0.bias": ("BF16", (3,))}
    assert found["algo"]["key"] == ("U32", (2,))


def test_one_array_in_two_places_stays_one():
    array = jnp.ones(3)
    found = copy_exactly([array, {"again": array}])
    assert found[0] is found[1]["again"]


def test_arrays_go_to_the_devices_that_they_were_put_on():
    ran = subprocess.run(
        [sys.executable, ON_MANY_DEVICES],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


class Linen(flax.linen.Module):
    @flax.linen.compact
    def __call__(self, x):
        return flax.linen.Dense(3)(flax.linen.tanh(flax.linen.Dense(4)(x)))


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.List([nnx.Linear(2, 4, rngs=rngs)])
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.out = nnx.Linear(4, 3, rngs=rngs)

    def __call__(self, x):
        for layer in self.hidden:
            x = self.drop(jnp.tanh(layer(x)))
        return self.out(x)


def loss_of(outputs):
    return jnp.square(outputs - 1.0).mean()


INPUTS = np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2)


def linen_state():
    module = Linen()
    params = module.init(jax.random.key(0), INPUTS)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(optax.linear_schedule(1e-2, 0.0, 50))
    )
    return TrainState.create(apply_fn=module.apply, params=params, tx=optimizer)


def linen_step(state):
    gradient = jax.grad(lambda p: loss_of(state.apply_fn(p, INPUTS)))(state.params)
    return state.apply_gradients(grads=gradient)


def nnx_state():
    model = Nnx(nnx.Rngs(0))
    return {"model": model, "optimizer": nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)}


def nnx_step(state):
    gradient = nnx.grad(lambda model: loss_of(model(INPUTS)))(state["model"])
    state["optimizer"].update(state["model"], gradient)
    return state


def equinox_state():
    model = equinox.nn.MLP(2, 3, 4, 2, key=jax.random.key(1))
    optimizer = optax.sgd(1e-2, momentum=0.9)
    slots = optimizer.init(equinox.filter(model, equinox.is_array))
    return {"model": model, "optimizer": optimizer, "slots": slots}


def equinox_step(state):
    gradient = equinox.filter_grad(lambda m: loss_of(jax.vmap(m)(INPUTS)))(state["model"])
    changes, slots = state["optimizer"].update(gradient, state["slots"])
    return {**state, "model": equinox.apply_updates(state["model"], changes), "slots": slots}


LIBRARIES = {
    "linen": (linen_state, linen_step),
    "nnx": (nnx_state, nnx_step),
    "equinox": (equinox_state, equinox_step),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_copy_goes_on_as_the_original_does(library):
    make, step = LIBRARIES[library]
    state = make()
    for _ in range(2):
        state = step(state)
    copied = copy_exactly(state)
    assert leaves({"a": copied}) == leaves({"a": state})
    for _ in range(2):
        state, copied = step(state), step(copied)
    assert leaves({"a": copied}) == leaves({"a": state})


NAMES = {
    "linen": {"params.params.Dense_0.kernel", "opt_state[1][0].mu.params.Dense_1.bias"},
    "nnx": {"model.hidden.0.kernel", "model.drop.rngs.count", "optimizer.opt_state[0].count"},
    "equinox": {"model.layers[0].weight", "slots[0].trace.layers[2].bias"},
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_names_are_those_of_the_containers(library, tensors_of):
    state = LIBRARIES[library][0]()
    found = tensors_of({"algo": algo_of(state=state)})["state"]
    assert NAMES[library] <= found.keys(), sorted(found)


def test_frozen_dictionaries_are_gone_through_as_others_are(tensors_of):
    params = flax.core.freeze({"Dense_0": {"kernel": jnp.ones(2)}})
    assert set(tensors_of({"algo": algo_of(params=params)})["params"]) == {"Dense_0.kernel"}


# ---- code -----------------------------------------------------------------------------------


@jax.jit
def at_the_top(x):
    return x + 1


class Scaled:
    def __init__(self):
        self.scale = 2.0
        self.compiled = jax.jit(self.times, static_argnums=1, donate_argnums=0)

    def times(self, x, n):
        return self.scale * n * x

    @functools.partial(jax.jit, static_argnums=0)
    def plus(self, x):
        return self.scale + x


def test_jitted_function_of_a_module_is_saved_by_name():
    assert copy_exactly({"f": at_the_top})["f"] is at_the_top


def test_jitted_method_is_compiled_anew_for_the_copy():
    copied = copy_exactly(Scaled())
    copied.scale = 5.0
    given = jnp.ones(2)
    assert copied.compiled(given, 3).tolist() == [15.0, 15.0]
    assert given.is_deleted()
    assert copied.plus(jnp.ones(2)).tolist() == [6.0, 6.0]
    assert leaves({"a": Scaled()}) == leaves({"a": copy_exactly(Scaled())})


def test_executable_is_an_error_that_says_what_to_do():
    compiled = jax.jit(lambda x: x + 1).lower(1.0).compile()
    with pytest.raises(SnapshotSaveError, match=r"algo\.step cannot be pickled.*jitted function"):
        capture({"algo": algo_of(step=compiled)})


def test_array_that_was_given_away_is_named():
    given = jnp.ones(3)
    jax.jit(lambda x: x + 1, donate_argnums=0)(given)
    with pytest.raises(SnapshotSaveError, match=r"algo\.params\.w cannot be pickled.*deleted"):
        capture({"algo": algo_of(params={"w": given})})


# ---- memory ---------------------------------------------------------------------------------


def test_memory_can_be_given_away_after_a_capture():
    """JAX copies instead, and says nothing, while anybody looks at it."""
    algo = algo_of(params=jax.block_until_ready(jnp.arange(1e6) + 0))
    again = jax.jit(lambda x: x + 1, donate_argnums=0)
    again(jnp.zeros(1000_000))
    captured = capture({"algo": algo}, Staging(), known_names=KnownNames())
    before = algo.params.unsafe_buffer_pointer()
    algo.params = jax.block_until_ready(again(algo.params))
    assert algo.params.unsafe_buffer_pointer() == before
    assert captured.buffers[-1].view(np.float32)[:3].tolist() == [0.0, 1.0, 2.0]


# ---- where there is no JAX --------------------------------------------------------------------


def test_weights_are_read_and_loaded_without_jax(save, run_python):
    params = {
        "w": jnp.arange(6.0).reshape(2, 3),
        "half": jnp.arange(3).astype(jnp.bfloat16),
        "tiny": jnp.arange(3).astype(jnp.float8_e4m3fn),
        "four": jnp.arange(-2, 2).astype(jnp.int4),
        "wave": jnp.array([1 + 2j]),
    }
    path = save({"algo": algo_of(params=params)})
    run_python(
        """
import sys
for name in ("jax", "jaxlib", "flax", "optax", "ml_dtypes"):
    sys.modules[name] = None
import numpy as np
from garage_like.loading import load_weights
from garage_like.snapshot import Snapshotter, read_snapshot
read = read_snapshot(sys.argv[1]).tensors("params")
built = Snapshotter().load(sys.argv[1])["params"]
target = {name: np.zeros_like(array) for name, array in read.items()}
load_weights(target, sys.argv[1], components=("params",))
for found in (read, built, target):
    assert found["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["half"].tolist() == found["tiny"].tolist() == [0, 1, 2]
    assert found["four"].tolist() == [-2, -1, 0, 1]
    assert found["wave"].tolist() == [1 + 2j]
""",
        save({"params": params, "algo": None}, 1),
    )
    assert set(read_snapshot(path).tensors("params")) == set(params)


# ---- what bits depend on ----------------------------------------------------------------------


def fingerprint_under(run_python, **environment):
    code = (
        "import jax; jax.devices(); from garage_like.snapshot.fingerprint import take_fingerprint"
    )
    code += "\nimport json; print(json.dumps(take_fingerprint()))"
    ran = run_python(f"import os; os.environ.update({environment!r})\n{code}")
    import json

    return json.loads(ran.stdout)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"JAX_ENABLE_X64": "1"}, "jax.enable_x64: False → True"),
        ({"JAX_THREEFRY_PARTITIONABLE": "0"}, "jax.threefry_partitionable: True → False"),
        ({"JAX_DEFAULT_PRNG_IMPL": "rbg"}, "jax.default_prng_impl: threefry2x32 → rbg"),
        ({"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}, "xla_flags"),
        ({"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}, None),
        ({"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}, None),
    ],
)
def test_settings_that_change_bits_are_told_and_no_others(environment, told, run_python):
    here = take_fingerprint()
    found = differences(
        {"jax": here["jax"]}, {"jax": fingerprint_under(run_python, **environment)["jax"]}
    )
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_versions_of_the_libraries_are_known():
    versions = take_fingerprint()["versions"]
    assert {"jax", "jaxlib", "flax", "optax", "equinox"} <= versions.keys()
