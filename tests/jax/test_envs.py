"""Environments in JAX move as gymnasium's do, and start over as gymnax's do."""

import dataclasses
import functools
import types

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.interpreters import batching

from garage_like.data.batches import StepType
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.jax.algos import DQN, PPO, SAC
from garage_like.jax.envs import CartPole, JaxEnv, Pendulum, transition
from garage_like.jax.policies import (
    DiscreteQFArgmaxPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.np.policies import CategoricalMLPPolicy


def test_cart_pole_moves_as_gymnasium_s_does():
    theirs, ours = gymnasium.make("CartPole-v1").unwrapped, CartPole()
    params, rng = ours.default_params, np.random.default_rng(0)
    theirs.reset(seed=0)
    for _ in range(30):
        start = rng.uniform(-0.2, 0.2, 4)
        action = int(rng.integers(2))
        theirs.state, theirs.steps_beyond_terminated = start, None
        expected, reward, terminated, _, _ = theirs.step(action)
        found = ours.move(jax.random.key(0), jnp.asarray(start), action, params)
        assert np.allclose(found[0], expected, atol=1e-6)
        assert (float(found[1]), bool(found[2])) == (reward, terminated)


def test_pendulum_moves_as_gymnasium_s_does():
    theirs, ours = gymnasium.make("Pendulum-v1").unwrapped, Pendulum()
    params, rng = ours.default_params, np.random.default_rng(0)
    theirs.reset(seed=0)
    for _ in range(30):
        start, action = rng.uniform(-6, 6, 2), rng.uniform(-3, 3, 1)
        theirs.state = start
        expected, reward, _, _, _ = theirs.step(action)
        state, found, _ = ours.move(
            jax.random.key(0), jnp.asarray(start), jnp.asarray(action), params
        )
        assert np.allclose(ours.observe(state, params), expected, atol=1e-4)
        assert float(found) == pytest.approx(reward, rel=1e-4, abs=1e-4)


def test_an_episode_that_ends_is_followed_by_a_new_one():
    env = Pendulum()
    _, state = env.reset(jax.random.key(0), env.default_params)
    step = jax.jit(lambda key, s: transition(env, key, s, jnp.zeros(1), env.default_params))
    for i in range(200):
        found = step(jax.random.key(i), state)
        state = found.state
    assert bool(found.truncated)
    assert not bool(found.terminated)
    assert int(state[1]) == 0
    assert not np.array_equal(found.observation, found.final_observation)


class OneFlag(Pendulum):
    """Tells its ends by one flag, as gymnax did before 1.0."""

    def step(self, key, state, action, params):
        *found, terminated, truncated, _ = super().step(key, state, action, params)
        return *found, terminated | truncated, {}


def test_an_end_told_by_one_flag_is_an_end_for_good():
    env = OneFlag()
    _, (inner, _) = env.reset(jax.random.key(0), env.default_params)
    last = (inner, jnp.asarray(199))
    found = transition(env, jax.random.key(1), last, jnp.zeros(1), env.default_params)
    assert bool(found.terminated)
    assert not bool(found.truncated)


def test_the_trainer_sees_whole_episodes():
    env = JaxEnv(CartPole())
    policy = CategoricalMLPPolicy(env.spec)
    episodes = obtain_evaluation_episodes(policy, env, num_eps=3, deterministic=False)
    assert len(episodes) == 3
    assert set(episodes.last_step_types) <= {StepType.TERMINAL, StepType.TIMEOUT}


def test_limit_of_one_s_own_cuts_episodes_off():
    env = JaxEnv(Pendulum(), max_episode_length=5)
    env.reset()
    kinds = [env.step(np.zeros(1)).step_type for _ in range(5)]
    assert kinds == [StepType.FIRST, *[StepType.MID] * 3, StepType.TIMEOUT]
    with pytest.raises(RuntimeError, match="no episode to continue"):
        env.step(np.zeros(1))


def test_spaces_of_another_kind_are_refused():
    class Odd(Pendulum):
        def action_space(self, params):
            return "anything"

    with pytest.raises(TypeError, match="expected a space with n"):
        JaxEnv(Odd())


class Counted(Pendulum):
    """Tells which tenth of an episode it is, and pays whole numbers."""

    def observation_space(self, params):
        return gymnasium.spaces.Discrete(5, start=2)

    def action_space(self, params):
        return gymnasium.spaces.Discrete(2)

    def observe(self, state, params):
        return jnp.int32(3)

    def move(self, key, state, action, params):
        return state, jnp.int32(1), jnp.zeros((), bool)


class Parted(Counted):
    def observe(self, state, params):
        return {"angle": state[0]}


def shapes_of(env):
    """Trace an epoch of DQN, which stores what it sees; compile nothing."""
    env = JaxEnv(env)
    algo = DQN(env, DiscreteQFArgmaxPolicy(env.spec, (8,)), num_envs=2)
    learner = jax.eval_shape(algo._init, jax.random.key(0))
    learner = learner._replace(memory=jax.eval_shape(algo._empty_memory, learner))
    epoch = functools.partial(algo._epoch, updates=1)
    return jax.eval_shape(epoch, learner, algo._counts())[0].memory


def test_one_number_is_seen_as_one_of_many_and_whole_rewards_count():
    found = shapes_of(Counted())
    assert found["observation"].shape[1:] == (2, 5)
    assert found["reward"].dtype == jnp.float32
    env = JaxEnv(Counted())
    algo = DQN(env, DiscreteQFArgmaxPolicy(env.spec, (8,)))
    assert algo._flat(jnp.array([2, 4])).tolist() == [[1, 0, 0, 0, 0], [0, 0, 1, 0, 0]]


def test_observation_of_many_parts_is_refused():
    with pytest.raises(TypeError, match=r"DQN: expected observations as one array .*'angle'"):
        shapes_of(Parted())


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Pooled:
    """A state as MJX's by Warp: copies that are stepped at once have one pool of contacts."""

    inner: jax.Array
    pool: jax.Array

    def where(self, done, other):
        return Pooled(jnp.where(done, other.inner, self.inner), self.pool)


batching.register_vmappable(
    Pooled,
    int,
    int,
    lambda cont, _, state, axis: Pooled(cont(state.inner, axis), state.pool),
    lambda cont, size, state, axis: Pooled(cont(size, state.inner, axis), state.pool),
    None,
)


class InPool(Pendulum):
    def begin(self, key, params):
        return Pooled(super().begin(key, params), jnp.zeros(3, jnp.int32))

    def move(self, key, state, action, params):
        inner, *found = super().move(key, state.inner, action, params)
        return Pooled(inner, state.pool), *found

    def observe(self, state, params):
        return super().observe(state.inner, params)


@pytest.fixture
def in_pool():
    env = JaxEnv(InPool())
    return functools.partial(PPO, env, GaussianMLPPolicy(env.spec, (8,)), num_steps=8)


def test_state_that_copies_have_in_common_is_left_out_where_episodes_begin(in_pool):
    algo = in_pool(num_envs=4)
    begun = jax.eval_shape(algo._init, jax.random.key(0))
    learner, _ = jax.eval_shape(lambda x: algo._epoch(x, (), 2), begun)
    assert learner.env_state[0].pool.shape == (3,)
    assert learner.env_state[0].inner.shape[0] == 4


def test_state_that_copies_have_in_common_is_not_spread_over_seeds(in_pool):
    with pytest.raises(ValueError, match="have part of their state in common"):
        _ = in_pool(num_seeds=2).learner
    in_pool(num_seeds=2, seeds_by="map")._check_state()


class Changing(Counted):
    def begin(self, key, params):
        return jnp.zeros(2, jnp.int32)

    def move(self, key, state, action, params):
        return state + 0.5, jnp.int32(1), jnp.zeros((), bool)


class ThreeTold(Counted):
    def step(self, key, state, action, params):
        return super().step(key, state, action, params)[:4]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: shapes_of(Changing()), r"state'\]\[0\]: int32\[2, 2\].*float32\[2, 2\]"),
        (lambda: shapes_of(ThreeTold()), r"ThreeTold.step: expected observation.*got 4 values"),
        (lambda: JaxEnv(Pendulum), r"expected an object with reset\(key, params\)"),
        (lambda: JaxEnv(gymnasium.make("CartPole-v1")), r"step\(key, state, action, params\)"),
    ],
)
def test_what_is_no_environment_in_jax_is_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_params_of_an_environment_that_has_none_need_not_be_given():
    whole = Counted()
    names = "reset", "step", "observation_space", "action_space"
    bare = types.SimpleNamespace(**{name: getattr(whole, name) for name in names})
    assert JaxEnv(bare).params is None


def test_all_of_an_epoch_has_64_bits_where_jax_has():
    with jax.enable_x64(True):
        for algorithm, kind in ((PPO, GaussianMLPPolicy), (SAC, TanhGaussianMLPPolicy)):
            env = JaxEnv(Pendulum())
            algo = algorithm(env, kind(env.spec, (8,)), num_envs=4, num_steps=8)
            learner = jax.eval_shape(algo._init, jax.random.key(0))
            if algorithm is SAC:
                learner = learner._replace(memory=jax.eval_shape(algo._empty_memory, learner))
            epoch = functools.partial(algo._epoch, updates=1)
            found = jax.eval_shape(epoch, learner, algo._counts())[0]
            dtypes = {x.dtype.name for x in jax.tree.leaves(found._replace(key=None))}
            assert "float64" in dtypes
            assert "float32" not in dtypes
