"""What does not survive a snapshot is found out, starts over, and says why."""

import threading

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import EzPickle

from garage_like.envs import GymEnv
from garage_like.errors import SnapshotSaveError
from garage_like.interfaces import Environment
from garage_like.snapshot.capture import capture
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.environments import kind_of
from garage_like.snapshot.rng import get_global_rng


class Counting(gymnasium.Env):
    """Observations count the steps of the environment's whole life."""

    def __init__(self, start=0):
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,))
        self.action_space = gymnasium.spaces.Discrete(2)
        self.count = start

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.array([self.count], np.float32), {}

    def step(self, action):
        self.count += 1
        reward = float(self.np_random.random()) + float(action)
        return np.array([self.count], np.float32), reward, self.count % 10 == 0, False, {}


class Locked(Counting):
    """Holds what cannot be pickled."""

    def __init__(self, start=0):
        super().__init__(start)
        self.lock = threading.Lock()


class LockedAndRebuilt(Locked, EzPickle):
    """As those of Box2D are: cannot be pickled, and EzPickle has a say in its state."""

    def __init__(self, start=0):
        EzPickle.__init__(self, start)
        Locked.__init__(self, start)


class RebuiltAsPlain(Counting, EzPickle):
    """EzPickle's own way: it is rebuilt from its arguments."""

    def __init__(self, start=0):
        EzPickle.__init__(self, start)
        Counting.__init__(self, start)


class RebuiltBehindOurBack(Counting):
    """Rebuilds itself in a way that nobody could tell from its class."""

    def __getstate__(self):
        return {"start": 0}

    def __setstate__(self, state):
        self.__init__(**state)


class BrokenWhenCopied(Counting):
    def __getstate__(self):
        return {**self.__dict__, "count": "lost"}


class LockedWrapper(gymnasium.Wrapper):
    def __init__(self, env):
        super().__init__(env)
        self.lock = threading.Lock()


class UsesGlobalRandomness(Counting):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, np.random.random(), *rest


class NeverANumber(Counting):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, float("nan"), *rest


class OwnEnv(Environment):
    """No gymnasium inside; observations are dicts."""

    def __init__(self, lossy=False):
        self.count, self._lossy = 0, lossy

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Dict(count=gymnasium.spaces.Box(0, 1e9, (1,)))

    @property
    def spec(self):
        raise NotImplementedError

    def _observation(self):
        return {"count": np.array([self.count])}

    def reset(self, *, seed=None):
        self.needs_reset = False
        return self._observation(), {}

    def step(self, action):
        from garage_like.data.batches import EnvStep, StepType

        self.count += 1
        return EnvStep(None, action, 0.0, self._observation(), {}, StepType.MID)

    def __getstate__(self):
        return {**self.__dict__, "count": 0} if self._lossy else self.__dict__


@pytest.fixture(autouse=True)
def registered():
    """Register the classes above."""
    classes = (
        Counting, Locked, LockedAndRebuilt, RebuiltAsPlain, RebuiltBehindOurBack, BrokenWhenCopied,
    )  # fmt: skip
    for cls in classes:
        gymnasium.register(f"{cls.__name__}-v0", entry_point=cls, max_episode_steps=100)
    yield
    for cls in classes:
        del gymnasium.registry[f"{cls.__name__}-v0"]


def known(*envs):
    """Check environments, and return what a run would know of them."""
    found = {}
    for env in envs:
        found[kind_of(env)] = check_env(env, known=found)
    return found


def begun(env_id, steps=4, **kwargs):
    env = GymEnv(env_id, **kwargs)
    env.reset(seed=1)
    for _ in range(steps):
        env.step(env.action_space.sample())
    return env


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "Hopper-v5"])
def test_environments_that_continue_are_exact(env_id):
    state = check_env(GymEnv(env_id), copy_exactly)
    assert (state.mode, state.reason, state.exact) == ("exact", "", True)


def test_check_touches_neither_the_environment_nor_global_randomness():
    env = begun("Hopper-v5")
    before, rng = leaves({"env": env}), leaves(get_global_rng())
    check_env(env, copy_exactly)
    assert leaves({"env": env}) == before
    assert leaves(get_global_rng()) == rng


def test_environment_that_would_rebuild_itself_is_kept_from_it():
    env = begun("RebuiltAsPlain-v0", start=5)
    assert check_env(env, copy_exactly).exact
    assert copy_exactly(env).gym_env.unwrapped.count == 9


def test_environment_that_rebuilds_itself_silently_is_caught():
    state = check_env(GymEnv("RebuiltBehindOurBack-v0"), copy_exactly)
    assert state.mode == "restart"
    assert state.reason == "a copy of it differs at step 0 after the copy"


def test_environment_that_does_not_copy_exactly_begins_a_new_episode_after_a_restore():
    env = begun("RebuiltBehindOurBack-v0")
    assert not copy_exactly(env).needs_reset, "nobody knows yet"
    assert copy_exactly(env, known(env)).needs_reset
    assert not env.needs_reset


def test_environment_whose_copies_fail_is_caught():
    state = check_env(begun("BrokenWhenCopied-v0"), copy_exactly)
    assert state.mode == "restart"
    assert "a copy of it cannot be stepped: ValueError" in state.reason


def test_unpicklable_environment_is_built_anew_from_its_spec():
    env = begun("Locked-v0", start=5)
    generator = copy_exactly(env.gym_env.unwrapped.np_random)
    states = known(env)
    state = states[kind_of(env)]
    assert state.mode == "restart"
    assert state.reason.startswith("it cannot be pickled: TypeError: cannot pickle '_thread.lock'")
    twin = copy_exactly(env, states)
    assert twin.needs_reset
    assert twin.gym_env.unwrapped.count == 5
    twin.reset()
    assert twin.gym_env.unwrapped.np_random.random() == generator.random()


def test_environment_built_anew_keeps_its_spaces_generators():
    env = begun("Locked-v0")
    env.action_space.seed(3)
    states = known(env)
    twin = copy_exactly(env, states)
    ours = [env.gym_env.unwrapped.action_space.sample() for _ in range(20)]
    assert [twin.gym_env.unwrapped.action_space.sample() for _ in range(20)] == ours


def test_wrappers_around_an_environment_built_anew_are_kept():
    env = GymEnv(gymnasium.wrappers.NormalizeObservation(gymnasium.make("Locked-v0")))
    env.reset(seed=1)
    for _ in range(5):
        env.step(1)
    states = known(env)
    twin = copy_exactly(env, states)
    assert twin.gym_env.obs_rms.mean == env.gym_env.obs_rms.mean
    assert twin.gym_env.obs_rms.count == env.gym_env.obs_rms.count


@pytest.mark.parametrize("env_id", ["Locked-v0", "LockedAndRebuilt-v0"])
def test_snapshot_of_an_unpicklable_environment_can_be_taken_after_the_check(env_id):
    env = begun(env_id)
    states = known(env)
    capture({"env": env}, env_states=states)
    twin = copy_exactly(env, states)
    assert twin.needs_reset
    twin.reset()
    twin.step(1)


def test_later_environments_of_the_kind_are_known_at_once():
    state = check_env(begun("Locked-v0"), known=known(begun("Locked-v0")))
    assert state.reason.startswith("it cannot be pickled")


def test_unpicklable_environment_without_a_spec_is_named_by_its_path():
    env = GymEnv(Locked(), max_episode_length=10)
    state = check_env(env, copy_exactly)
    assert state.mode == "restart"
    with pytest.raises(SnapshotSaveError, match=r"env\._env\.lock cannot be pickled: TypeError"):
        capture({"env": env})


def test_unpicklable_wrapper_is_named_and_what_it_wraps_is_not_rebuilt():
    env = GymEnv(LockedWrapper(gymnasium.make("CartPole-v1")))
    assert check_env(env, copy_exactly).mode == "restart"
    with pytest.raises(SnapshotSaveError, match=r"env\._env\.lock cannot be pickled"):
        capture({"env": env})
    plain = begun("CartPole-v1")
    state = plain.gym_env.unwrapped.state
    assert np.array_equal(copy_exactly(plain).gym_env.unwrapped.state, state)


def test_global_randomness_is_no_difference():
    assert check_env(GymEnv(UsesGlobalRandomness(), max_episode_length=9), copy_exactly).exact


def test_rewards_that_are_no_number_are_no_difference():
    assert check_env(GymEnv(NeverANumber(), max_episode_length=9), copy_exactly).exact


def test_environment_of_ones_own_with_observations_of_any_kind_is_exact():
    assert check_env(OwnEnv(), copy_exactly).exact


def test_environment_of_ones_own_that_loses_state_is_caught_and_begins_anew():
    env = OwnEnv(lossy=True)
    env.reset()
    states = known(env)
    assert states[kind_of(env)].mode == "restart"
    assert copy_exactly(env, states).needs_reset


class Outer(OwnEnv):
    """An environment around an environment."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.needs_reset = False


def test_environments_around_one_that_begins_anew_begin_anew_too():
    env = begun("RebuiltBehindOurBack-v0")
    states = known(env)
    twin = copy_exactly(Outer(Outer(env)), states)
    assert twin.needs_reset
    assert twin.inner.needs_reset
    assert twin.inner.inner.needs_reset


def test_what_a_wrapper_does_is_not_held_against_what_it_wraps():
    class Lossy(gymnasium.Wrapper):
        def __getstate__(self):
            return {**self.__dict__, "extra": 0}

        def step(self, action):
            self.extra = getattr(self, "extra", 0) + 1
            observation, _, *others = super().step(action)
            return observation, self.extra, *others

    wrapped, plain = GymEnv(Lossy(gymnasium.make("CartPole-v1"))), begun("CartPole-v1")
    states = known(wrapped, Outer(wrapped), plain)
    assert [state.mode for state in states.values()] == ["restart", "restart", "exact"]
    assert not copy_exactly(plain, states).needs_reset
    wrapped.reset()
    assert copy_exactly(wrapped, states).needs_reset
    assert copy_exactly(Outer(wrapped), states).needs_reset


def test_what_is_known_of_one_environment_says_nothing_of_other_settings():
    def make(start):
        return begun("RebuiltBehindOurBack-v0", start=start)

    states = known(make(1))
    assert copy_exactly(make(1), states).needs_reset
    assert not copy_exactly(make(2), states).needs_reset


def test_one_check_leaves_nothing_behind_for_the_next():
    env = begun("RebuiltBehindOurBack-v0")
    assert not check_env(env).exact
    assert not copy_exactly(env).needs_reset


def test_check_is_offered_where_environments_are():
    import garage_like.envs

    assert garage_like.envs.check_env is check_env
    assert "check_env" in dir(garage_like.envs)


def test_check_leaves_spaces_of_the_class_alone():
    class OfTheClass(Counting):
        observation_space = gymnasium.spaces.Box(-9, 9, (1,))
        action_space = gymnasium.spaces.Discrete(2)

        def __init__(self):
            self.count = 0

    env = GymEnv(OfTheClass(), max_episode_length=9)
    env.reset(seed=1)
    before = leaves({"env": env})
    assert check_env(env).exact
    assert leaves({"env": env}) == before


class NeedsServer(gymnasium.Wrapper):
    """Would connect to a server that is not there when it is unpickled."""

    def __setstate__(self, state):
        raise ConnectionError("no server at port 9000")


def test_wrapper_that_cannot_set_its_state_is_filled_and_begins_anew():
    env = GymEnv(NeedsServer(gymnasium.make("CartPole-v1")))
    state = check_env(env)
    assert (state.mode, state.fills) == ("restart", True)
    assert "ConnectionError: no server" in state.reason
    found = copy_exactly(env, {kind_of(env): state})
    assert type(found.gym_env) is NeedsServer
    found.reset()
