"""DQN and SAC in JAX: what they store, when they learn, what they record; and that they learn."""

import json
import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from garage_like import Trainer
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import DQN, SAC
from garage_like.jax.envs import CartPole, JaxEnv, Pendulum
from garage_like.jax.policies import DiscreteQFArgmaxPolicy, TanhGaussianMLPPolicy
from garage_like.jax.replay_memory import ReplayMemory
from garage_like.snapshot import SnapshotConfig, read_snapshot

SMALL = {
    "num_envs": 2,
    "capacity_in_transitions": 60,
    "min_buffer_size": 20,
    "buffer_batch_size": 8,
    "num_evaluation_episodes": 0,
}


def make(kind=DQN, hidden_sizes=(8,), seed=3, **options):
    set_seed(seed)
    env = JaxEnv(CartPole() if kind is DQN else Pendulum())
    policy = DiscreteQFArgmaxPolicy if kind is DQN else TanhGaussianMLPPolicy
    return kind(env, policy(env.spec, hidden_sizes, "relu"), **{**SMALL, **options})


def train(algo, n_epochs=1, batch_size=40, config=None):
    trainer = Trainer(config)
    trainer.setup(algo, algo._env)
    trainer.train(n_epochs, batch_size)
    return trainer


def test_transitions_lie_in_the_snapshot_and_only_new_rows_are_written_again(tmp_path):
    """What is stored is what the environment said, in order; the ring goes round."""
    config = SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="all")
    algo = train(make(), 2, 40, config).algo
    table = read_snapshot(tmp_path / "snapshots/epoch_000000").table("replay_memory")
    assert table["observation"].shape == (20, 2, 4)
    follows = table["terminal"][:-1] == 0
    same = (table["next_observation"][:-1] == table["observation"][1:]).all(-1)
    assert np.array_equal(same, follows)
    assert set(np.unique(table["action"])) == {0, 1}
    later = read_snapshot(tmp_path / "snapshots/epoch_000001").table("replay_memory")
    assert len(later["reward"]) == 30
    assert np.array_equal(later["observation"][10:20], table["observation"][10:20])
    assert not np.array_equal(later["observation"][:10], table["observation"][:10])
    assert (algo.replay_memory.written, algo._gradient_steps) == (40, 31)
    assert algo._updates_done == 40


def test_gradient_step_of_dqn_is_that_of_double_q_learning():
    algo = make(discount=0.5)
    params = algo.learner.params
    key = jax.random.key(0)
    target = jax.tree.map(lambda x: x + 0.1, params["qf"])
    params = {**params, "target_qf": target}
    stored = {
        "observation": jax.random.normal(key, (8, 1, 4)),
        "action": jnp.arange(8).reshape(8, 1) % 2,
        "reward": jnp.ones((8, 1)),
        "terminal": (jnp.arange(8) == 3).reshape(8, 1),
        "next_observation": jax.random.normal(jax.random.key(1), (8, 1, 4)),
    }
    algo._num_envs = 1
    batch = algo._minibatch(stored, jnp.arange(8))
    _, _, metrics = algo._gradient_step(key, params, algo.learner.slots, batch)
    following = np.asarray(algo._values(params["qf"], stored["next_observation"][:, 0])).argmax(1)
    worth = np.asarray(algo._values(target, stored["next_observation"][:, 0]))
    targets = 1.0 + 0.5 * worth[np.arange(8), following] * (np.arange(8) != 3)
    values = np.asarray(algo._values(params["qf"], stored["observation"][:, 0]))
    chosen = values[np.arange(8), np.arange(8) % 2]
    assert float(metrics["Target/Mean"]) == pytest.approx(targets.mean(), rel=1e-5)
    assert float(metrics["Loss/Critic"]) == pytest.approx(
        0.5 * np.square(chosen - targets).mean(), rel=1e-5
    )


@pytest.mark.slow
def test_density_of_squashed_actions_integrates_to_one():
    algo = make(SAC)
    policy = algo.learner.params["policy"]
    keys = jax.random.split(jax.random.key(0), 4000)
    sample = jax.vmap(lambda key: algo._sample(key, policy, jnp.ones((1, 3))))
    actions, log_probs = sample(keys)
    assert float(jnp.abs(actions).max()) <= 2.0
    # The mean of 1 / density over samples is the width of where actions lie.
    assert float(jnp.exp(-log_probs).mean()) == pytest.approx(4.0, rel=0.1)


@pytest.mark.slow
def test_rates_and_rows_are_those_of_the_other_backends():
    schedule = optax.linear_schedule(1e-3, 0.0, 31)
    algo = make(qf_lr=schedule, num_evaluation_episodes=2)
    rows = []
    algo._rows.record, record = (lambda *a: rows.append(a) or record(*a)), algo._rows.record
    train(algo, 1, 40)
    found, others = rows[0][1:]
    assert set(DQN.UPDATE_METRICS) <= found.keys()
    assert others["Learning/GradientSteps"] == 11
    assert others["ReplayBuffer/Size"] == 40
    assert others["Learning/CriticLearningRate"] == pytest.approx(1e-3 * (1 - 11 / 31))
    assert found["learned"].tolist() == [i >= 9 for i in range(20)]
    assert found["evaluation"][0].shape == (2,)


ACT = """
import json, sys
for name in ("jax", "jaxlib", "flax", "optax", "ml_dtypes", "torch", "tensorflow"):
    sys.modules[name] = None
import numpy as np
from garage_like import load_policy
actions, infos = load_policy(sys.argv[1]).get_actions(np.array(json.loads(sys.argv[2]), np.float32))
print(json.dumps(infos["mean"].tolist() if infos else actions.tolist()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [DQN, SAC])
def test_policy_that_is_loaded_without_jax_acts_as_jax_does(kind, tmp_path):
    algo = train(make(kind), 1, 40, SnapshotConfig(snapshot_dir=str(tmp_path))).algo
    shape = 20, algo.policy.sizes[0]
    rows = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    ran = subprocess.run(
        [sys.executable, "-c", ACT, tmp_path, json.dumps(rows.tolist())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    expected = np.asarray(algo._best(algo.learner.params, jnp.asarray(rows)))
    assert np.allclose(json.loads(ran.stdout), expected, atol=1e-5)
    assert len(np.unique(expected)) > 1


def test_memory_without_transitions_is_filled_anew():
    memory = ReplayMemory(4)

    def shapes():
        return {"x": jax.ShapeDtypeStruct((4, 2), jnp.float32)}

    columns = memory.take(shapes)
    memory.put({"x": columns["x"].at[:3].set(7.0)}, 3)
    state = memory.__getstate__()
    restored = ReplayMemory(1)
    restored.__dict__.update(state)
    assert np.array_equal(restored.take(shapes)["x"], [[7, 7]] * 3 + [[0, 0]])
    memory.clear()
    assert memory.written == 0
    assert not np.asarray(memory.take(shapes)["x"]).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_buffer_size": 100}, "has no room for min_buffer_size=100"),
        ({"target_update_tau": 0.0}, "target_update_tau must lie in"),
        ({"min_epsilon": 1.5}, "expected 0 <= min_epsilon <= max_epsilon <= 1"),
        ({"epsilon_steps": 0}, "epsilon_steps must be a positive integer, got 0"),
        ({"num_devices": 3}, "num_devices=3 must divide num_envs=2"),
        ({"num_devices": 2}, "num_devices=2, but JAX sees 1 here"),
    ],
)
def test_argument_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_policy_of_another_kind_is_refused():
    env = JaxEnv(Pendulum())
    with pytest.raises(TypeError, match="DQN: expected a DiscreteQFArgmaxPolicy"):
        DQN(env, TanhGaussianMLPPolicy(env.spec))
    with pytest.raises(TypeError, match="SAC: expected a TanhGaussianMLPPolicy"):
        SAC(env, DiscreteQFArgmaxPolicy(env.spec))


@pytest.mark.slow
def test_dqn_learns_to_balance():
    rate = optax.linear_schedule(1e-3, 0.0, 36_000)
    options = {
        "num_envs": 8,
        "qf_lr": rate,
        "capacity_in_transitions": 100_000,
        "min_buffer_size": 5_000,
        "buffer_batch_size": 128,
        "epsilon_steps": 50_000,
    }
    algo = make(DQN, (64, 64), seed=1, num_seeds=3, **options)
    train(algo, 3, 100_000)
    for algo.policy.seed_index in range(3):
        episodes = obtain_evaluation_episodes(algo.policy, algo._env, num_eps=10)
        assert np.mean(episodes.lengths) >= 400


@pytest.mark.slow
def test_sac_learns_to_swing_up():
    options = {
        "num_envs": 1,
        "capacity_in_transitions": 20_000,
        "min_buffer_size": 500,
        "buffer_batch_size": 128,
    }
    algo = make(SAC, (64, 64), seed=1, num_seeds=3, policy_lr=1e-3, qf_lr=1e-3, **options)
    train(algo, 1, 14_000)
    for algo.policy.seed_index in range(3):
        episodes = obtain_evaluation_episodes(algo.policy, algo._env, num_eps=10)
        returns = np.add.reduceat(episodes.rewards, np.cumsum([0, *episodes.lengths[:-1]]))
        assert returns.mean() >= -200
        assert math.isfinite(returns.sum())
