"""Train in an environment that keeps some of its state where a snapshot does not see it.

usage: environments_that_hide_state.py KIND
"""

import ctypes
import os
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular

STEPS = 30


class Hiding(gymnasium.Env):
    """Tells a number at each step; subclasses say which, and where it comes from."""

    observation_space = gymnasium.spaces.Box(-1e9, 1e9, (1,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)
    level = 0

    def __init__(self):
        self.steps = self.episodes = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.episodes = 0, self.episodes + 1
        return np.zeros(1), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(1), float(self.told()), self.steps >= 8, False, {}

    def told(self):
        return self.np_random.random()


class Dropped(Hiding):
    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "level"}

    def told(self):
        if self.episodes > 3:
            self.level = self.level + 1
        return self.level


class ResetCounter(Hiding):
    def __getstate__(self):
        return {**vars(self), "episodes": 0}

    def told(self):
        return self.episodes


class SetOrder(Hiding):
    def __init__(self):
        super().__init__()
        self.names = {f"room {number}" for number in range(20)}

    def told(self):
        return int(next(iter(self.names)).split()[1])


class SetInCode(Hiding):
    def told(self):
        return int(next(iter({f"room {number}" for number in range(20)})).split()[1])


class ClockSeldom(Hiding):
    def told(self):
        return time.time_ns() // 1_000 % 1_000 if self.episodes > 50 else 0


class System(Hiding):
    def told(self):
        return os.getpid()


class Address(Hiding):
    def told(self):
        return id(self) % 1_000_003


class LibraryInC(Hiding):
    def told(self):
        return ctypes.CDLL(None).rand() % 1000


class Variable(Hiding):
    def told(self):
        os.environ["ROOMS"] = str(int(os.environ.get("ROOMS", 0)) + 1)
        return int(os.environ["ROOMS"])


class VariableByNumber(Hiding):
    def told(self):
        name = f"ROOM_{len(type(self).__name__)}"
        os.environ[name] = str(int(os.environ.get(name, 0)) + 1)
        return int(os.environ[name])


class File(Hiding):
    def told(self):
        path = Path("rooms.txt")
        path.write_text(str(int(path.read_text()) + 1 if path.exists() else 1))
        return int(path.read_text())


class OfTheClass(Hiding):
    counted = 0

    def told(self):
        type(self).counted += 1
        return self.counted


class CompiledAndLate(Hiding):
    """Calls compiled code in a way that cannot be read off, and not before its 81st step."""

    age = 0

    def told(self):
        self.age += 1
        return __import__("ctypes").CDLL(None).rand() % 1000 if self.age > 80 else 0


class Walk(RLAlgorithm):
    policy = None

    def __init__(self, env):
        self.env = env

    def train_epoch(self, trainer):
        total = 0.0
        for number in range(STEPS):
            if self.env.needs_reset:
                self.env.reset()
            total += self.env.step(number % 2).reward
        tabular.record("Total", total)
        trainer.step_itr += 1
        return total


@wrap_experiment(console=False, archive_launch_repo=False)
def train(ctxt=None, *, kind):
    set_seed(1)
    env = GymEnv(globals()[kind](), max_episode_length=60)
    trainer = Trainer(ctxt)
    trainer.setup(Walk(env), env)
    trainer.train(4, 30)


if __name__ == "__main__":
    train(kind=sys.argv[1])
