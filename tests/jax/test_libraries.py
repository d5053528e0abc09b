"""Environments of libraries: what they say at each step is what the library says."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import JaxEnv
from garage_like.jax.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.snapshot import SnapshotConfig, read_snapshot

# What these libraries warn of among themselves is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

MAKE = {
    "gymnax": lambda m: JaxEnv(*m.make("CartPole-v1")),
    "brax": lambda m: JaxEnv(importlib.import_module("brax.envs").get_environment("fast"), None, 5),
    "navix": lambda m: JaxEnv(m.make("Navix-Empty-5x5-v0")),
    "jumanji": lambda m: JaxEnv(m.make("Game2048-v1"), None, 6),
    "mujoco_playground": lambda m: JaxEnv(m.registry.load("CartpoleBalance"), None, 4),
}


@pytest.fixture(params=MAKE)
def env(request):
    module = pytest.importorskip(request.param)
    set_seed(0)
    return MAKE[request.param](module)


@pytest.mark.slow
def test_environment_of_a_library_is_trained_in_and_saved_exactly(env, tmp_path):
    observation, _ = env.reset(seed=1)
    assert observation.shape == env.observation_space.shape
    kind = CategoricalMLPPolicy if env.spec.is_discrete else GaussianMLPPolicy
    algo = PPO(env, kind(env.spec, (8,)), num_envs=2, num_steps=8, num_minibatches=2)
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="all"))
    trainer.setup(algo, env)
    trainer.train(2, batch_size=16)
    assert read_snapshot(tmp_path).manifest.exact

    again = Trainer(SnapshotConfig(snapshot_mode="none"))
    again.restore(tmp_path, from_epoch=0)
    again.resume(additional_epochs=1)
    found, expected = (
        [np.asarray(x).tobytes() for x in jax.tree.leaves(t.algo.learner.params)]
        for t in (again, trainer)
    )
    assert found == expected


@pytest.mark.slow
def test_library_says_when_an_episode_ends():
    navix = pytest.importorskip("navix")
    theirs = navix.make("Navix-Empty-5x5-v0", max_steps=3)
    env = JaxEnv(theirs)
    state = env.functions.begin(jax.random.key(0), ())
    for _ in range(3):
        state, _, is_over = env.functions.move(jax.random.key(0), state, jnp.int32(0), ())
    assert env.spec.max_episode_length == 3
    assert not bool(is_over)
    assert bool(env.functions.cut_off(state))
