"""State of an environment that a snapshot would lose is seen, or the label does not say exact."""

import ctypes
import datetime
import importlib.util
import os
import random
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import types
from ctypes import CDLL
from pathlib import Path
from time import time as seconds

import gymnasium
import numpy as np
import pytest

from garage_like.envs import GymEnv
from garage_like.envs.copy import copy_env
from garage_like.snapshot.env_check import _WELL_KNOWN, check_env, judge_unstepped
from garage_like.snapshot.env_reading import is_like
from garage_like.snapshot.inside import ReachedOutsideError, staying_inside
from garage_like.trainer import Trainer


class Plain(gymnasium.Env):
    """Count, and draw; all of its state is in its attributes."""

    observation_space = gymnasium.spaces.Box(-1e6, 1e6, (2,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)
    level = 0

    def __init__(self, goal=5):
        self.goal, self.steps, self.episodes = goal, 0, 0

    def look(self):
        return np.array([self.steps, self.level], np.float64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        self.episodes += 1
        return self.look(), {}

    def step(self, action):
        self.steps += 1
        return self.look(), float(self.np_random.random()), self.steps >= 40, False, {}


class DropsACurriculum(Plain):
    """Moves to the next level after many episodes, and forgets that when it is pickled."""

    def reset(self, *, seed=None, options=None):
        if self.episodes > 50:
            self.level = 1
        return super().reset(seed=seed)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "level"}


class CountsResets(Plain):
    """What it begins with depends on how often it began, which is not pickled."""

    def __getstate__(self):
        return {**vars(self), "episodes": 0}

    def reset(self, *, seed=None, options=None):
        observation, info = super().reset(seed=seed)
        return observation + self.episodes, info


class KeepsASet(Plain):
    def __init__(self):
        super().__init__()
        self.names = {"left", "right"}


class KeepsASetOfNumbers(Plain):
    def __init__(self):
        super().__init__()
        self.seen = {1, 2, (3, 4)}


class SortsByAddress(Plain):
    def step(self, action):
        sorted([object(), object()], key=id)
        return super().step(action)


class CallsC(Plain):
    def step(self, action):
        if self.steps > 35:
            ctypes.CDLL(None).rand()
        return super().step(action)


class ImportsC(Plain):
    def step(self, action):
        import ctypes as c

        if self.steps > 35:
            c.CDLL(None).rand()
        return super().step(action)


class NamesAClassOfC(Plain):
    def step(self, action):
        CDLL(None).rand()
        return super().step(action)


def rewarded_by_c(reward):
    return reward + ctypes.CDLL(None).rand() % 7


def in_a_wrapper():
    return gymnasium.wrappers.TransformReward(Plain(), lambda reward: rewarded_by_c(reward))


class WithoutAWindow(Plain):
    """Leaves out what it makes again, and cannot be pickled."""

    def __init__(self):
        super().__init__()
        self.window = threading.Lock()

    def __getstate__(self):
        return {**vars(self), "window": None}


DICE = random.SystemRandom()
ROOMS = {"attic", "cellar"}


class AsksTheSystem(Plain):
    """Begin by what a function tells, but only after more episodes than are tried."""

    asks = None

    def reset(self, *, seed=None, options=None):
        observation, info = super().reset(seed=seed)
        return observation + (self.asks() if self.episodes > 50 else 0), info


def at_this_hour():
    return time.localtime().tm_hour


def on_this_day():
    return datetime.datetime.now().day


def of_an_inner_import():
    from time import time as now

    return int(now()) // 3600


class Clock:
    def hour(self):
        return int(seconds()) // 3600


def asks(function):
    def make():
        env = AsksTheSystem()
        env.asks = function
        return env

    return make


class GoesThroughASet(Plain):
    def __init__(self):
        super().__init__()
        self.rooms = ["attic", "cellar"]

    def begin(self):
        return [len(room) for room in set(self.rooms) - {"cellar"}]


class GoesThroughAGlobalSet(Plain):
    def begin(self):
        return len(next(iter(ROOMS)))


class UsesSetsInOrder(Plain):
    """Sort what it goes through, and go through what has one order; waits, and shows the time."""

    rooms = ("attic", "cellar")

    def begin(self):
        time.sleep(0.0)
        cells = {(1, 2), (3, 4)} | {(5, 6)}
        rooms = set(self.rooms) - {"cellar"}
        return len(rooms) + ("attic" in ROOMS) + sum(x for x, _ in cells) + len(sorted(rooms)[0])

    def render(self):
        return time.time()


def labelled(env):
    return check_env(GymEnv(env, max_episode_length=60))


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        (DropsACurriculum, r"level is not saved"),
        (CountsResets, r"episodes is not saved|begins another episode"),
        (KeepsASet, r"names is a set of str"),
        (SortsByAddress, r"SortsByAddress.step calls id\(\)"),
        (CallsC, r"CallsC.step calls a library in C through ctypes"),
        (ImportsC, r"ImportsC.step calls a library in C through ctypes"),
        (NamesAClassOfC, r"through CDLL"),
        (in_a_wrapper, r"rewarded_by_c calls a library in C through ctypes"),
        (asks(at_this_hour), r"at_this_hour calls time.localtime, which answers otherwise"),
        (asks(on_this_day), r"on_this_day calls datetime.datetime.now, which"),
        (asks(of_an_inner_import), r"of_an_inner_import calls time, which"),
        (asks(Clock().hour), r"Clock.hour calls seconds, which"),
        (asks(lambda: DICE.random()), r"calls DICE, which"),
        (asks(random.SystemRandom().random), r"asks.__self__ draws from the system|draws from"),
        (asks(lambda: secrets.randbelow(9)), r"calls secrets.randbelow, which"),
        (asks(lambda: os.getpid() % 7), r"calls os.getpid, which"),
        (GoesThroughASet, r"goes through set\(self.rooms\) - {'cellar'}, a set whose order"),
        (GoesThroughAGlobalSet, r"goes through ROOMS, a set whose order"),
    ],
)
def test_state_that_would_be_lost_is_named(cls, reason):
    state = labelled(cls())
    assert not state.exact
    assert re.search(reason, state.reason), state.reason


@pytest.mark.parametrize("cls", [Plain, KeepsASetOfNumbers, WithoutAWindow, UsesSetsInOrder])
def test_environments_that_keep_their_state_are_exact(cls):
    state = labelled(cls())
    assert state.exact, state.reason


def test_gymnasium_environments_are_tried_as_they_are():
    assert check_env(Plain()).exact
    assert not check_env(CountsResets()).exact
    assert check_env(gymnasium.vector.SyncVectorEnv([Plain, Plain])).exact


def test_verdict_holds_for_those_that_agree_in_what_does_not_change():
    env = Plain()
    settings = check_env(env).settings
    moved = Plain()
    moved.reset(seed=1)
    moved.step(1)
    assert is_like(moved, settings)
    assert not is_like(Plain(goal=6), settings)


# ---- effects stay inside ----------------------------------------------------------------------


class Acts(Plain):
    """Does something outside at each step."""

    def __init__(self, act):
        super().__init__()
        self.act = act

    def step(self, action):
        self.act()
        return super().step(action)


def connect():
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", 9))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda: open("commands.txt", "a").close(), "writes to 'commands.txt'"),
        (lambda: os.mkdir("made"), r"calls os.mkdir\('made'\)"),
        (lambda: subprocess.run(["touch", "made"], check=False), "starts the process"),
        (connect, "speaks to another process"),
    ],
)
def test_copy_is_stopped_before_it_acts_outside(act, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = labelled(Acts(act))
    assert state.mode == "numerical"
    assert re.search(told, state.reason), state.reason
    assert not list(tmp_path.iterdir())


def test_variables_of_the_environment_are_put_back():
    def count():
        os.environ["STEPS_OF_A_TEST"] = str(int(os.environ.get("STEPS_OF_A_TEST", 0)) + 1)

    labelled(Acts(count))
    assert "STEPS_OF_A_TEST" not in os.environ


def test_what_was_replaced_is_put_back_and_reading_goes_on(tmp_path):
    before = open, os.open, os.mkdir, socket.socket.connect, subprocess.Popen.__init__
    with staying_inside() as stopped:
        assert Path(__file__).read_text()
        with pytest.raises(ReachedOutsideError):
            (tmp_path / "x").write_text("y")
    assert stopped == [f"writes to {str(tmp_path / 'x')!r}"]
    assert before == (open, os.open, os.mkdir, socket.socket.connect, subprocess.Popen.__init__)
    (tmp_path / "x").write_text("y")


class Still:
    def train(self, trainer):
        return None


class Filmed(Plain):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}
    render_mode = "rgb_array"

    def render(self):
        return np.zeros((8, 8, 3), np.uint8)


def test_copies_film_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "moviepy", types.ModuleType("moviepy"))
    films = gymnasium.wrappers.RecordVideo(
        Filmed(), str(tmp_path / "films"), episode_trigger=lambda number: True, disable_logger=True
    )
    env = GymEnv(films, max_episode_length=60)
    env.reset(seed=1)
    env.step(1)
    assert films.recording
    assert check_env(env).exact
    twin = copy_env(env)
    twin.reset()
    twin.step(1)
    assert not twin.gym_env.recording
    trainer = Trainer()
    trainer.setup(Still(), env)
    assert not trainer.get_env_copy().gym_env.recording
    assert films.recording
    films.recorded_frames.clear()
    assert not list((tmp_path / "films").iterdir())


# ---- those that the tests try are not stepped ---------------------------------------------------


def test_well_known_environments_are_not_stepped(monkeypatch):
    def step(self, action):
        raise AssertionError

    monkeypatch.setattr(gymnasium.envs.classic_control.CartPoleEnv, "step", step)
    env = GymEnv(gymnasium.wrappers.NormalizeObservation(gymnasium.make("CartPole-v1")))
    assert judge_unstepped(env).exact


@pytest.mark.parametrize(
    "env",
    [
        GymEnv(Plain(), max_episode_length=9),
        GymEnv(gymnasium.wrappers.TransformReward(gymnasium.make("CartPole-v1"), lambda r: r)),
        gymnasium.make_vec("CartPole-v1", 2, vectorization_mode="sync"),
    ],
)
def test_others_have_to_be_tried(env):
    assert judge_unstepped(env) is None


def test_all_families_that_are_not_stepped_are_tried_by_the_tests():
    path = Path(__file__).parents[1] / "trust" / "test_environments.py"
    spec = importlib.util.spec_from_file_location("tried", path)
    tried = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tried)
    known = {name for name in _WELL_KNOWN if name.startswith("gymnasium.envs.")}
    families = {
        f"gymnasium.envs.{spec.entry_point.split('.')[2].split(':')[0]}."
        for name in [*tried.CLASSIC, *tried.TOY_TEXT, *tried.MUJOCO]
        if isinstance((spec := gymnasium.spec(name)).entry_point, str)
    }
    assert known == families
