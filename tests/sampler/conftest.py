import dataclasses
import itertools
import types

import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import EnvStep, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Environment


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    pass


class MlpActor:
    """A small tanh network with float32 weights."""

    def __init__(self, sizes, discrete):
        rng = np.random.default_rng(0)
        self.weights = [
            rng.normal(0, 0.3, (i, o)).astype(np.float32) for i, o in itertools.pairwise(sizes)
        ]
        self.discrete = discrete

    def act(self, observations, rng):
        hidden = observations.reshape(len(observations), -1).astype(np.float32)
        for weights in self.weights[:-1]:
            hidden = np.tanh(hidden @ weights)
        out = hidden @ self.weights[-1]
        infos = {"output": out, "row": np.arange(len(out))}
        if self.discrete:
            return (out + rng.gumbel(size=out.shape)).argmax(axis=1), infos
        return out + rng.standard_normal(out.shape, np.float32), infos


class MlpPolicy:
    """Acts in NumPy; counts its resets."""

    def __init__(self, env_spec):
        self.env_spec = env_spec
        sizes = (env_spec.observation_dim, 16, env_spec.action_dim)
        self.network = MlpActor(sizes, env_spec.is_discrete)
        self.resets = []

    def actor(self):
        return self.network

    def get_action(self, observation):
        raise AssertionError("samplers must act through the actor")

    get_actions = get_action

    def reset(self, do_resets=None):
        self.resets.append(do_resets.tolist())

    def get_param_values(self):
        return [w.copy() for w in self.network.weights]

    def set_param_values(self, params):
        self.network.weights = [w.copy() for w in params["weights"]]


class ConstantActor:
    def __init__(self, action):
        self.action = action

    def act(self, observations, rng):
        actions = np.full(len(observations), self.action)
        return actions, {"row": np.arange(len(observations)), "noise": rng.random(len(actions))}


class ConstantPolicy(MlpPolicy):
    """Always takes the same action; parameters are that action."""

    def __init__(self, action=0):
        self.network, self.resets = ConstantActor(action), []

    def set_param_values(self, params):
        self.network.action = params


class ScriptedEnv(Environment):
    """Plays episodes of given lengths in turn; every number tells where it comes from.

    Observations are (episode, step); the environment must terminate, unless its limit comes first.
    """

    def __init__(self, lengths=(3,), limit=None, info=None):
        self._spec = EnvSpec(
            gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64),
            gymnasium.spaces.Discrete(4),
            limit,
        )
        self.lengths, self.info = lengths, info
        self.episode, self.count, self.seeds = -1, 0, []

    action_space = property(lambda self: self._spec.action_space)
    observation_space = property(lambda self: self._spec.observation_space)
    spec = property(lambda self: self._spec)

    def reset(self, *, seed=None):
        self.seeds.append(seed)
        self.episode, self.count = self.episode + 1, 0
        return np.array([self.episode, 0.0]), {"episode": self.episode}

    def step(self, action):
        self.count += 1
        over = self.count == self.lengths[self.episode % len(self.lengths)]
        info = self.info(self.episode, self.count) if self.info else {}
        return EnvStep(
            self._spec,
            action,
            float(self.count),
            np.array([self.episode, self.count], np.float64),
            info,
            StepType.get_step_type(self.count, self._spec.max_episode_length, over),
        )


@pytest.fixture(scope="session")
def parts():
    """The classes of this file, to be built by tests."""
    return types.SimpleNamespace(
        MlpPolicy=MlpPolicy, ConstantPolicy=ConstantPolicy, ScriptedEnv=ScriptedEnv
    )


@pytest.fixture(scope="session")
def same_batch():
    """Return a function that compares two batches bit for bit."""

    def flat(name, value):
        if not isinstance(value, dict):
            return {name: (value.dtype, value.shape, value.tobytes())}
        return {k: v for key in value for k, v in flat(f"{name}.{key}", value[key]).items()}

    def bits(batch):
        names = [field.name for field in dataclasses.fields(batch)[1:]]
        return [flat(name, getattr(batch, name)) for name in names]

    return lambda one, other: bits(one) == bits(other)
