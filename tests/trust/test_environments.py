"""Every environment of gymnasium, saved at random moments: exact for 300 steps, or it says why not.

Right after an episode's end is among the moments. Box2D and Atari need `pip install
".[box2d]"` and `"[atari]"`; MuJoCo `"[mujoco]"`.
"""

import importlib.util
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import EzPickle

from garage_like.envs import GymEnv
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.kinds.environments import kind_of

MOMENTS = 50
STEPS_COMPARED = 300

CLASSIC = [
    "Acrobot-v1", "CartPole-v0", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0",
    "Pendulum-v1",
]  # fmt: skip
TOY_TEXT = [
    "Blackjack-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1", "FrozenLake-v1",
    "FrozenLake8x8-v1", "Taxi-v4",
]  # fmt: skip
MUJOCO = [
    "Ant-v5", "HalfCheetah-v5", "Hopper-v5", "Humanoid-v5", "HumanoidStandup-v5",
    "InvertedDoublePendulum-v5", "InvertedPendulum-v5", "Pusher-v5", "Reacher-v5", "Swimmer-v5",
    "Walker2d-v5",
]  # fmt: skip
BOX2D = ["LunarLander-v3", "LunarLanderContinuous-v3", "BipedalWalker-v3",
         "BipedalWalkerHardcore-v3", "CarRacing-v3"]  # fmt: skip
ATARI = ["PongNoFrameskip-v4", "BreakoutNoFrameskip-v4"]
STICKY = ["ALE/Pong-v5"]
NEEDS = {
    **dict.fromkeys(MUJOCO, ("mujoco", "mujoco")),
    **dict.fromkeys(BOX2D, ("Box2D", "box2d")),
    **dict.fromkeys([*ATARI, *STICKY], ("ale_py", "atari")),
}
EXACT = {*CLASSIC, *TOY_TEXT, *MUJOCO, *ATARI}


def make(name):
    if name in NEEDS:
        module, extra = NEEDS[name]
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'needs pip install ".[{extra}]"')
        if module == "ale_py":
            import ale_py

            gymnasium.register_envs(ale_py)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of newer versions of an environment
        return GymEnv(name, flatten_obs=name == "Blackjack-v1")


class Trace:
    """What an environment shows, step by step; an episode that ended is started over."""

    def __init__(self, env, actions):
        self.env, self.actions, self.seen, self.ended = env, actions, [], False

    def go(self, start, stop):
        """Take steps `start` to `stop` of the actions."""
        for action in self.actions[start:stop]:
            if self.ended:
                self.seen.append(np.asarray(self.env.reset()[0]).tobytes())
            step = self.env.step(action)
            self.ended = step.last
            shown = (np.asarray(step.observation).tobytes(), np.float64(step.reward).tobytes())
            self.seen.append((*shown, int(step.step_type)))
        return self.seen


def random_moments(env, number, rng):
    """Go through episodes; yield copies at random moments and what comes after each.

    Yields:
        The copy's trace, the number of steps taken, and a function of what the original shows.
    """
    env.reset(seed=7)
    env.action_space.seed(7)
    gaps = rng.integers(1, 40, number)
    total = int(gaps.sum()) + STEPS_COMPARED
    actions = [env.action_space.sample() for _ in range(total)]
    trace, copies, done = Trace(env, actions), [], 0
    ends = 0
    for number_of_moment, gap in enumerate(gaps):
        for _ in range(gap):
            trace.go(done, done + 1)
            done += 1
            if trace.ended and number_of_moment % 3 == 0:
                break  # every third moment waits for an end if one comes
        copy = Trace(copy_exactly(env), actions)
        copy.ended = trace.ended
        ends += trace.ended
        copies.append((copy, done, len(trace.seen)))
    trace.go(done, done + STEPS_COMPARED)
    return trace, copies, ends


def differences(env, number, seed):
    trace, copies, ends = random_moments(env, number, np.random.default_rng(seed))
    wrong = []
    for copy, done, seen_before in copies:
        found = copy.go(done, done + STEPS_COMPARED)
        if found != trace.seen[seen_before : seen_before + len(found)]:
            wrong.append(done)
    return wrong, ends


@pytest.mark.parametrize("name", [*CLASSIC, *TOY_TEXT, *MUJOCO, *BOX2D, *ATARI, *STICKY])
@pytest.mark.parametrize("moments", [2, pytest.param(MOMENTS, marks=pytest.mark.slow)])
def test_environment_goes_on_exactly_or_says_why_not(name, moments, figures):
    env = make(name)
    state = check_env(env, copy_exactly)
    assert state.exact == (name in EXACT), state.reason
    if not state.exact:
        assert state.reason
        copy = copy_exactly(env, {kind_of(env): state})
        assert copy.needs_reset
        copy.reset()
        figures["environments that begin a new episode, and say so"] += moments == MOMENTS
        return
    wrong, ends = differences(env, moments if name not in ATARI else min(moments, 20), 3)
    assert wrong == []
    figures["random moments of environments, exact for 300 steps after each"] += moments
    figures["of those, right after an episode's end"] += ends


def test_moments_right_after_an_end_are_among_them():
    _, ends = differences(make("CartPole-v1"), MOMENTS, 3)
    assert ends >= 5


# ---- wrappers --------------------------------------------------------------------------------


class Drifts(gymnasium.Wrapper):
    """Its own state counts in every reward."""

    def __init__(self, env, start=0.0):
        super().__init__(env)
        self.total = start

    def step(self, action):
        observation, reward, *rest = self.env.step(action)
        self.total += float(reward)
        return observation, self.total, *rest


class DriftsAndForgets(Drifts, EzPickle):
    """EzPickle would build it again, without a word."""

    def __init__(self, env, start=0.0):
        EzPickle.__init__(self, env, start)
        Drifts.__init__(self, env, start)


class ForgetsInItsOwnWay(Drifts):
    def __getstate__(self):
        return {"env": self.env}

    def __setstate__(self, state):
        self.__init__(**state)


WRAPPERS = {
    "statistics": gymnasium.wrappers.RecordEpisodeStatistics,
    "normalised observations": gymnasium.wrappers.NormalizeObservation,
    "normalised rewards": gymnasium.wrappers.NormalizeReward,
    "stacked frames": lambda env: gymnasium.wrappers.FrameStackObservation(env, 3),
    "own": Drifts,
    "EzPickle": DriftsAndForgets,
    "EzPickle inside": lambda env: gymnasium.wrappers.NormalizeReward(DriftsAndForgets(env)),
}


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "Hopper-v5"])
def test_wrapped_environment_goes_on_exactly(name, wrapper, figures):
    make(name)
    env = GymEnv(wrapper(gymnasium.make(name)))
    assert check_env(env, copy_exactly).exact
    assert differences(env, 6, 5)[0] == []
    figures["random moments of wrapped environments, exact as well"] += 6


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_wrapper_that_rebuilds_itself_silently_is_never_called_exact(name):
    env = GymEnv(ForgetsInItsOwnWay(gymnasium.make(name)))
    state = check_env(env, copy_exactly)
    assert not state.exact
    assert "a copy of it differs at step" in state.reason


def test_atari_with_its_usual_preprocessing_goes_on_exactly():
    make("BreakoutNoFrameskip-v4")
    pytest.importorskip("cv2", reason="gymnasium's preprocessing needs opencv")
    inner = gymnasium.make("BreakoutNoFrameskip-v4")
    inner = gymnasium.wrappers.AtariPreprocessing(inner, noop_max=10)
    env = GymEnv(gymnasium.wrappers.FrameStackObservation(inner, 4), is_image=False)
    assert check_env(env, copy_exactly).exact
    assert differences(env, 8, 1)[0] == []


def test_atari_with_sticky_actions_says_why_it_begins_a_new_episode():
    state = check_env(make("ALE/Pong-v5"), copy_exactly)
    assert "with sticky actions, the emulator does not tell which action it would" in state.reason


# ---- vector environments ---------------------------------------------------------------------


def shown(envs, actions):
    """Step a vector environment; return what was seen, bit for bit."""
    seen = []
    for action in actions:
        observations, rewards, *ends, _ = envs.step(action)
        seen.append([np.asarray(x).tobytes() for x in (observations, rewards, *ends)])
    return seen


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "Hopper-v5", "Taxi-v4"])
@pytest.mark.parametrize("mode", list(gymnasium.vector.AutoresetMode)[:2], ids=lambda m: m.value)
def test_vector_environment_goes_on_exactly(name, mode, figures):
    make(name)
    made = [lambda: gymnasium.make(name, max_episode_steps=40)] * 3
    envs = gymnasium.vector.SyncVectorEnv(made, autoreset_mode=mode)
    envs.reset(seed=3)
    envs.action_space.seed(3)
    rng = np.random.default_rng(2)

    for _ in range(5):
        shown(envs, [envs.action_space.sample() for _ in range(rng.integers(1, 60))])
        actions = [envs.action_space.sample() for _ in range(STEPS_COMPARED)]
        copy = copy_exactly(envs)
        assert shown(copy, actions) == shown(envs, actions)
        figures["random moments of vector environments, exact as well"] += 1


def test_vector_environment_of_processes_goes_on_exactly():
    envs = gymnasium.vector.AsyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 2)
    copy = None
    try:
        envs.reset(seed=1)
        envs.action_space.seed(2)
        shown(envs, [envs.action_space.sample() for _ in range(15)])
        copy = copy_exactly(envs)
        actions = [envs.action_space.sample() for _ in range(60)]
        assert shown(copy, actions) == shown(envs, actions)
    finally:
        envs.close()
        if copy is not None:
            copy.close()
