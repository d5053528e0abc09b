"""PPO in JAX: what it records, what its seeds share, what it refuses; and that it learns."""

import jax
import numpy as np
import optax
import pytest

from garage_like import Trainer
from garage_like.data.batches import EpisodeBatch
from garage_like.errors import SnapshotMismatchError
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import CartPole, JaxEnv, Pendulum
from garage_like.jax.networks import mlp
from garage_like.jax.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.snapshot import SnapshotConfig, read_snapshot

SMALL = {"num_envs": 4, "num_steps": 16}


def make(env=None, hidden_sizes=(8,), seed=3, **options):
    set_seed(seed)
    env = env or JaxEnv(CartPole())
    kind = CategoricalMLPPolicy if env.spec.is_discrete else GaussianMLPPolicy
    return PPO(env, kind(env.spec, hidden_sizes), **{**SMALL, **options})


def train(algo, n_epochs=2, batch_size=128):
    trainer = Trainer(None)
    trainer.setup(algo, algo._env)
    trainer.train(n_epochs, batch_size)
    return trainer


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def test_env_steps_are_counted():
    trainer = train(make(num_seeds=2))
    assert trainer.total_env_steps == 2 * 128 * 2
    assert trainer.step_itr == 4


def test_same_seed_gives_the_same_bits_and_another_does_not():
    weights = [bits(train(make(seed=seed)).algo.policy.params) for seed in (1, 1, 2)]
    assert weights[0] == weights[1] != weights[2]


def test_companions_change_no_bit_of_a_seed_that_is_trained_after_the_other():
    alone = train(make()).algo.policy.params
    together = train(make(num_seeds=3, seeds_by="map")).algo.policy.params
    assert bits(alone) == bits(jax.tree.map(lambda x: x[0], together))
    assert len({weights.tobytes() for weights in together["Dense_0"]["kernel"]}) == 3


@pytest.mark.slow
def test_companions_change_no_bit_of_a_seed_that_is_trained_at_once_with_them(tmp_path):
    """Seed 0 is the same beside seeds 1 and 2 and beside two others; their number is settled."""
    algo = make(num_seeds=3)
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path)))
    trainer.setup(algo, algo._env)
    others = make(num_seeds=3)
    keys = jax.random.split(jax.random.key(77), 3)
    begun, foreign = algo.learner, jax.jit(lambda keys: jax.lax.map(others._init, keys))(keys)

    def first_of_ours(ours, theirs):
        return jax.numpy.concatenate([ours[:1], theirs[1:]])

    others._set_learner(jax.tree.map(first_of_ours, begun, foreign))
    trainer.train(1, 128)
    train(others, 1)
    ours, theirs = (jax.tree.leaves(a.policy.params) for a in (algo, others))
    assert bits([x[0] for x in ours]) == bits([x[0] for x in theirs])
    assert bits([x[1] for x in ours]) != bits([x[1] for x in theirs])

    fewer = make(num_seeds=2)
    again = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path)))
    again.setup(fewer, fewer._env)
    with pytest.raises(SnapshotMismatchError, match="num_seeds"):
        again.restore(tmp_path)


@pytest.mark.parametrize("name", ["num_seeds", "num_envs"])
def test_what_the_state_is_made_from_cannot_be_changed_in_mid_run(name):
    with pytest.raises(ValueError, match=f"PPO cannot take another {name} in mid-run"):
        make().change_arguments({name: 2})


@pytest.mark.parametrize("env", [CartPole, Pendulum])
def test_numpy_acts_as_jax_does(env):
    algo = train(make(JaxEnv(env()), (16, 16))).algo
    observations = np.random.default_rng(0).normal(size=(50, *algo._env.observation_space.shape))
    observations = observations.astype(np.float32)
    _, infos = algo.policy.get_actions(observations)
    expected = mlp(algo.policy.params, observations, "tanh")
    assert np.allclose(infos.get("logits", infos.get("mean")), expected, atol=1e-5)


def test_policy_of_many_seeds_acts_for_the_one_that_is_chosen():
    policy = train(make(num_seeds=2)).algo.policy
    first = policy.get_action(np.ones(4))[1]["logits"]
    policy.seed_index = 1
    assert not np.array_equal(policy.actor().act(np.ones((1, 4)), np.random)[1]["logits"][0], first)


def test_weights_can_be_copied_to_another_policy():
    policy = train(make()).algo.policy
    other = CategoricalMLPPolicy(policy.env_spec, (8,))
    other.set_param_values(policy.get_param_values())
    assert np.array_equal(*(p.get_action(np.ones(4))[1]["logits"] for p in (policy, other)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_minibatches": 3}, "num_minibatches=3 must divide num_envs"),
        ({"lr_clip_range": 1.5}, "lr_clip_range must lie between 0 and 1, got 1.5"),
        ({"num_seeds": 0}, "num_seeds must be a positive integer, got 0"),
        ({"seeds_by": "loop"}, "seeds_by must be 'vmap' or 'map', got 'loop'"),
    ],
)
def test_argument_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_environment_that_is_none_in_jax_is_refused():
    env = JaxEnv(CartPole())
    with pytest.raises(TypeError, match="env must be a JaxEnv"):
        PPO(CartPole(), CategoricalMLPPolicy(env.spec))


def test_epoch_that_is_no_whole_number_of_updates_is_refused():
    with pytest.raises(ValueError, match="must be a multiple of the 64 env steps"):
        train(make(), batch_size=100)


def test_loss_that_is_not_finite_ends_training():
    with pytest.raises(ValueError, match="expected a finite number"):
        train(make(learning_rate=float("nan")))


@pytest.mark.slow
def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    """The last gradient step of the second epoch breaks them: no loss tells of it any more."""
    algo = make(learning_rate=lambda step: jax.numpy.where(step < 63, 1e-3, jax.numpy.nan))
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path)))
    trainer.setup(algo, algo._env)
    with pytest.raises(ValueError, match="weights are not finite after the last gradient step"):
        trainer.train(3, 128)
    assert read_snapshot(tmp_path).epoch == 0


@pytest.mark.slow
def test_run_that_began_without_64_bit_types_goes_on_with_them(tmp_path):
    algo = make()
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path)))
    trainer.setup(algo, algo._env)
    trainer.train(1, 64)
    again = Trainer(SnapshotConfig(snapshot_mode="none"))
    with jax.enable_x64(True):
        again.restore(tmp_path)
        again.resume(additional_epochs=1)
        assert {x.dtype.name for x in jax.tree.leaves(again.algo.learner.params)} == {"float64"}


def test_cut_off_episodes_are_bootstrapped():
    """A value of what would have followed keeps the estimate where it is without a limit."""
    algo = make(JaxEnv(Pendulum()), num_steps=200, num_envs=2, num_minibatches=2)
    learner, steps = jax.lax.scan(algo._collect, algo.learner, None, 200)
    assert steps.truncated[-1].all()
    assert not steps.terminated.any()
    found = algo._advantages(learner, steps)[-1]
    value = algo._value(learner.params, steps.final_observation[-1])
    expected = steps.reward[-1] + 0.99 * value - steps.value[-1]
    assert np.allclose(found, expected, rtol=1e-5)


@pytest.mark.slow
def test_learns_to_balance():
    set_seed(1)
    env = JaxEnv(CartPole())
    policy = CategoricalMLPPolicy(env.spec)
    rate = optax.linear_schedule(2.5e-3, 0.0, 30 * 10 * 16)
    algo = PPO(env, policy, learning_rate=rate, num_seeds=3)
    trainer = Trainer(None)
    trainer.setup(algo, env)
    trainer.train(30, batch_size=8 * 128 * 10)
    for policy.seed_index in range(3):
        episodes: EpisodeBatch = obtain_evaluation_episodes(policy, env, num_eps=20)
        assert np.mean(episodes.lengths) >= 475
