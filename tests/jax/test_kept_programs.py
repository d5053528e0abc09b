"""Programs that a run compiled are found again beside it, and give the same bits."""

import functools
import os
import sys
import threading
import time
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO, traced_from
from garage_like.jax.algos.kept_programs import compiled
from garage_like.jax.envs import CartPole, JaxEnv
from garage_like.jax.policies import CategoricalMLPPolicy
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.graph import places


@pytest.fixture
def _no_cache_of_jax():
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture
def trained(tmp_path, _no_cache_of_jax, monkeypatch):
    monkeypatch.setattr(traced_from, "_STARTED", 2**63)  # another test may have written a module
    set_seed(0)
    env = JaxEnv(CartPole())
    algo = PPO(env, CategoricalMLPPolicy(env.spec, (8,)), num_envs=4, num_steps=16)
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path / "run"), snapshot_mode="all"))
    trainer.setup(algo, env)
    trainer.train(3, batch_size=64)
    return tmp_path / "run", bits(trainer)


def bits(trainer):
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(trainer.algo.learner.params)]


def go_on(run):
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(run), snapshot_mode="all"))
    trainer.restore(run, from_epoch=0)
    trainer.resume()
    return bits(trainer)


def forbid(monkeypatch, owner, name):
    def refuse(*_args, **_options):
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(owner, name, refuse)


@pytest.mark.slow
def test_resume_compiles_nothing_and_makes_no_first_weights(trained, monkeypatch):
    run, expected = trained
    forbid(monkeypatch, jax.stages.Lowered, "compile")
    forbid(monkeypatch, PPO, "_make_params")
    assert go_on(run) == expected


@pytest.mark.slow
def test_resume_traces_nothing_as_long_as_nothing_was_changed(trained, monkeypatch):
    run, expected = trained
    forbid(monkeypatch, jax.lax, "scan")
    assert go_on(run) == expected
    monkeypatch.setattr(CartPole, "max_episode_length", 400)
    with pytest.raises(AssertionError, match="scan was called"):
        go_on(run)


@pytest.mark.slow
def test_program_that_cannot_be_used_is_compiled_anew(trained, capsys):
    run, expected = trained
    (kept,) = (run / "cache").glob("*.executable")
    kept.write_bytes(kept.read_bytes()[:-100])
    assert go_on(run) == expected
    assert "compiled again" in capsys.readouterr().out
    kept.unlink()
    assert go_on(run) == expected
    assert "compiled again" not in capsys.readouterr().out
    assert kept.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("_no_cache_of_jax")
def test_nothing_is_kept_where_nothing_is_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    set_seed(0)
    env = JaxEnv(CartPole())
    trainer = Trainer(None)
    trainer.setup(PPO(env, CategoricalMLPPolicy(env.spec, (8,)), num_envs=4, num_steps=16), env)
    trainer.train(1, batch_size=64)
    assert list(tmp_path.iterdir()) == []


# ---- what a note goes by --------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _script(monkeypatch):
    """Have a script that stands in a file, which a worker of pytest-xdist has not."""
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)


def scaled(factor):
    return lambda x: factor * x


def digest(read=None, arguments=(1.0,)):
    arguments = jax.tree.map(jnp.asarray, arguments)
    found = traced_from.digest_of(read, arguments)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"discount": 0.99}, {"discount": 0.98}),
        (optax.linear_schedule(1e-3, 0.0, 10), optax.linear_schedule(1e-3, 0.0, 11)),
        (scaled(1), scaled(2)),
        (scaled(1), lambda x: x),
        (CartPole, JaxEnv),
        (jnp.ones(2), jnp.ones(2).at[0].set(2.0)),
    ],
)
def test_what_a_trace_reads_is_told_apart(one, other):
    assert digest(one) == digest(one)
    assert digest(one) != digest(other)


def test_equal_values_are_told_as_one():
    assert digest(["a b", "a b"]) == digest(["a b", " ".join(["a", "b"])])
    assert digest(scaled(1)) == digest(scaled(1))


def test_what_a_class_says_is_told(monkeypatch):
    before = digest(CartPole())
    monkeypatch.setattr(CartPole, "max_episode_length", 20)
    assert digest(CartPole()) != before


def made_with(number, default=0, held=()):
    class Base:
        said = held

        def __init__(self):
            super().__init__()

        def step(self, at=default):
            return number + at

    class Env(Base):
        @property
        def number(self):
            return number

    return Env()


@pytest.mark.parametrize(
    "other", [made_with(2), made_with(1, 1), made_with(1, held=jnp.ones(2)), made_with(1, held=[1])]
)
def test_what_a_class_was_made_with_is_told(other):
    assert digest(made_with(1)) == digest(made_with(1))
    assert digest(made_with(1)) != digest(other)


def pay(x, most=1.0):
    return x


def pay_twice(x):
    return 2 * x


def test_which_function_a_global_is_is_told(monkeypatch):
    space = {"__name__": "mine", "reward": pay}
    monkeypatch.setattr(places, "own_namespaces", lambda: [space])
    found = [digest(places.named_code()), digest(places.named_code())]
    cheaper = types.FunctionType(pay.__code__, globals(), "pay", (0.5,))
    more = functools.partial(pay, most=2.0), functools.partial(pay, most=3.0)
    for other in (pay_twice, jax.jit(pay_twice), cheaper, *more):
        space["reward"] = other
        found.append(digest(places.named_code()))
    assert found[0] == found[1]
    assert len(set(found)) == 5  # a function is the same compiled


def test_types_shapes_and_settings_are_told():
    key = jax.random.key(0)
    found = [digest(arguments=x) for x in (1, 1.0, jnp.ones(2), [1.0], (1.0,), key)]
    found.append(digest(arguments=jnp.float32(1)))  # no weak type
    with jax.default_matmul_precision("bfloat16"):
        found.append(digest(arguments=1.0))
    assert len(set(found)) == len(found)
    assert digest(arguments=2.0) == digest(arguments=1.0)


def test_what_cannot_be_told_is_traced():
    circle = []
    circle.append(circle)
    for unknown in (circle, threading.Lock()):
        assert traced_from.digest_of(unknown, ()) is None


def test_code_that_was_edited_is_seen(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("x = 1")
    files = {str(file): (5, file.stat().st_mtime_ns)}
    assert traced_from.are_unchanged(files)
    os.utime(file, ns=(0, 1))
    assert not traced_from.are_unchanged(files)
    file.unlink()
    assert not traced_from.are_unchanged(files)


def test_all_code_but_python_s_own_is_looked_at(monkeypatch):
    monkeypatch.setattr(traced_from, "_STARTED", 2**63)
    files = traced_from.loaded_files()
    assert {jax.__file__, optax.__file__, __file__, traced_from.__file__} <= files.keys()
    assert os.__file__ not in files
    monkeypatch.setattr(traced_from, "_STARTED", 1)
    assert traced_from.loaded_files() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells it")
def test_edits_count_from_when_the_process_began():
    time.sleep(0.05)
    assert abs(traced_from._began() - traced_from._STARTED) < 2e7


@pytest.mark.usefixtures("_no_cache_of_jax")
def test_program_that_calls_python_is_not_kept(tmp_path):
    def twice(x):
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(lambda y: 2 * np.asarray(y), shape, x) + 1.0

    program = compiled(jax.jit(twice), (jnp.ones(2),), tmp_path, ())
    assert program(jnp.ones(2)).tolist() == [3.0, 3.0]
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("_no_cache_of_jax")
def test_program_that_calls_linear_algebra_is_kept(tmp_path):
    compiled(jax.jit(jnp.linalg.cholesky), (jnp.eye(2),), tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".executable"]
