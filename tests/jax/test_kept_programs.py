"""Programs that a run compiled are found again beside it, and give the same bits."""

import jax
import numpy as np
import pytest

from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import CartPole, JaxEnv
from garage_like.jax.policies import CategoricalMLPPolicy
from garage_like.snapshot import SnapshotConfig


@pytest.fixture
def _no_cache_of_jax():
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture
def trained(tmp_path, _no_cache_of_jax):
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
def test_program_that_cannot_be_used_is_compiled_anew(trained, capsys):
    run, expected = trained
    (kept,) = (run / "cache").iterdir()
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
