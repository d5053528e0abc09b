"""Runs in JAX that are killed, and started again in another process, are as if never killed."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from garage_like.audit.run_diff import diff_runs
from garage_like.snapshot import read_snapshot

HERE = Path(__file__).parent
RUN = Path("data/local/experiment/in_jax")
EIGHT = "--xla_force_host_platform_device_count=8"
WHOLE = bool(os.environ.get("WHOLE_MATRIX"))
MATRIX = [(a, s, d) for a in ("ppo", "dqn", "sac") for s in ("1", "8") for d in ("1", "8")]
ALWAYS = [("dqn", "8", "8"), ("sac", "1", "1")]


def start(script, *arguments, cwd, **environment):
    cwd.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, HERE / script, *arguments],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def straight_and_killed(folder, script, *arguments, kill="3", **environment):
    """Return what a run said that was never killed, and one that was and went on."""
    straight = start(script, *arguments, cwd=folder / "straight", **environment)
    assert straight.returncode == 0, straight.stderr
    for each in kill.split():
        killed = start(script, *arguments, cwd=folder / "killed", KILL=each, **environment)
        assert killed.returncode == -9, killed.stderr
    again = start(script, *arguments, cwd=folder / "killed", **environment)
    assert again.returncode == 0, again.stderr
    return straight, again


@pytest.mark.slow
@pytest.mark.parametrize("library", ["linen", "nnx", "equinox"])
def test_loop_of_one_s_own_goes_on_bit_for_bit(library, tmp_path):
    straight, again = straight_and_killed(
        tmp_path, "loops.py", library, "run", kill="1 2 4" if WHOLE else "3"
    )
    assert "The resume is exact" in again.stdout + again.stderr
    assert straight.stdout.splitlines()[-1] == again.stdout.splitlines()[-1]
    assert straight.stdout.splitlines()[-1].startswith("DIGEST")
    assert diff_runs(tmp_path / "straight/run", tmp_path / "killed/run").equal


@pytest.fixture(scope="module")
def one_seed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one_seed")
    return folder, *straight_and_killed(folder, "experiment.py", "ppo", "1", "1")


@pytest.mark.slow
def test_ppo_goes_on_bit_for_bit(one_seed):
    folder, _, again = one_seed
    assert "The resume is exact" in again.stdout
    assert diff_runs(folder / "straight" / RUN, folder / "killed" / RUN).equal
    assert read_snapshot(folder / "straight" / RUN).manifest.exact


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "seeds", "devices"), MATRIX if WHOLE else ALWAYS)
def test_runs_go_on_bit_for_bit_wherever_they_are_killed(algorithm, seeds, devices, tmp_path):
    """The first of both fills JAX's own cache, and the second reads it: bits are the same."""
    kill = str(random.Random(f"{algorithm} {seeds} {devices}").randrange(1, 4))
    options = {"XLA_FLAGS": EIGHT if devices == "8" else ""}
    options |= {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
    }
    arguments = algorithm, seeds, devices
    _, again = straight_and_killed(tmp_path, "experiment.py", *arguments, kill=kill, **options)
    assert "The resume is exact" in again.stdout
    assert diff_runs(tmp_path / "straight" / RUN, tmp_path / "killed" / RUN).equal
    observation, said = ACTS[algorithm]
    assert acts_without_jax(tmp_path / "killed" / RUN, observation) == said
    row = read_snapshot(tmp_path / "killed" / RUN).metrics
    if seeds == "8":
        assert {f"Seeds/{i}/AverageReturn" for i in range(8)} <= row.keys()
        low, high = (row[f"Seeds/{which}OfAverageReturn"] for which in ("Min", "Max"))
        assert low <= row["Evaluation/AverageReturn"] <= high


def restored(run, code="", **environment):
    """Restore a run where only an exact resume will do; return what came of it."""
    code = (
        "import jax, sys; jax.devices()\n"
        "from garage_like import Trainer\n"
        f"Trainer(None).restore(sys.argv[1], require_exact=True)\n{code}"
    )
    return subprocess.run(
        [sys.executable, "-c", code, run],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JAX_THREEFRY_PARTITIONABLE", "0"),
        ("JAX_DEFAULT_MATMUL_PRECISION", "bfloat16"),
        ("JAX_ENABLE_X64", "1"),
        ("JAX_DEFAULT_PRNG_IMPL", "rbg"),
        ("XLA_FLAGS", "--xla_cpu_max_isa=AVX2"),
    ],
)
def test_settings_that_change_bits_are_told(name, value, one_seed):
    told = restored(one_seed[0] / "straight" / RUN, **{name: value})
    assert told.returncode != 0
    assert "a resume here may differ in bits: jax." in told.stderr


@pytest.mark.slow
def test_settings_that_change_no_bit_are_not_told(one_seed):
    flags = f"--xla_cpu_multi_thread_eigen=false {EIGHT}"
    told = restored(one_seed[0] / "straight" / RUN, XLA_FLAGS=flags)
    assert told.returncode == 0, told.stderr


@pytest.mark.slow
def test_fewer_devices_are_refused_and_going_on_with_them_is_told(tmp_path):
    run = tmp_path / RUN
    first = start("experiment.py", "ppo", "1", "8", cwd=tmp_path, XLA_FLAGS=EIGHT)
    assert first.returncode == 0, first.stderr
    four = {"XLA_FLAGS": EIGHT.replace("8", "4"), "OMP_NUM_THREADS": "1"}
    refused, told = (
        subprocess.run(
            [sys.executable, "-m", "garage_like", "resume", run, "--n-epochs", "5", *options],
            cwd=tmp_path,
            env={**os.environ, **four},
            capture_output=True,
            text=True,
            check=False,
        )
        for options in ((), ("--set", "algo.num_devices=4"))
    )
    assert refused.returncode != 0
    assert "num_devices=8, but JAX sees 4 here" in refused.stdout + refused.stderr
    assert told.returncode == 0, told.stdout + told.stderr
    manifest = read_snapshot(run).manifest
    assert not manifest.exact
    assert "algo.num_devices was changed before epoch 4" in manifest.reasons


def acts_without_jax(run, observation):
    """Have a policy act where only NumPy is; return what it said."""
    code = """
import json, sys
for name in ("jax", "jaxlib", "flax", "optax", "equinox", "ml_dtypes", "torch", "tensorflow"):
    sys.modules[name] = None
from garage_like import load_algo, load_policy
from garage_like.errors import SnapshotMismatchError
action, infos = load_policy(sys.argv[1]).get_action(json.loads(sys.argv[2]))
print(action.shape, {name: value.shape for name, value in infos.items()})
try:
    load_algo(sys.argv[1])
except SnapshotMismatchError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, run, str(observation)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be imported here" in done.stdout
    return done.stdout.splitlines()[0]


ACTS = {
    "ppo": ([0.1, 0.0, 0.0, 0.0], "() {'logits': (2,)}"),
    "dqn": ([0.1, 0.0, 0.0, 0.0], "() {}"),
    "sac": ([0.1, 0.9, 0.0], "(1,) {'mean': (1,)}"),
}


SPREAD = """
import sys
import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from garage_like import epochs

mesh = Mesh(jax.devices(), ("x",))
rows = jax.device_put(jnp.ones((8, 2)), NamedSharding(mesh, PartitionSpec("x")))
for epoch in epochs("run", int(sys.argv[1]), globals()):
    rows = rows * 1.5
"""


@pytest.mark.slow
def test_loop_of_one_s_own_on_fewer_devices_is_told(tmp_path):
    script = tmp_path / "spread.py"
    script.write_text(SPREAD)
    first, again, fewer = (
        start(script, str(epochs), cwd=tmp_path, XLA_FLAGS=EIGHT.replace("8", count))
        for epochs, count in ((2, "8"), (3, "8"), (4, "4"))
    )
    assert first.returncode == 0, first.stderr
    assert "The resume is exact" in again.stdout + again.stderr
    assert "jax.arrays.devices: 8 → 4" in fewer.stdout + fewer.stderr
    assert "The resume is numerical" in fewer.stdout + fewer.stderr


@pytest.mark.slow
def test_policy_acts_where_there_is_no_jax(one_seed):
    observation, said = ACTS["ppo"]
    assert acts_without_jax(one_seed[0] / "straight" / RUN, observation) == said
