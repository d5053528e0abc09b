"""EnvPool's environments as one of gymnasium's vector environments, seeded as a run asks for it.

A pool is seeded once, when it is made; hands out no state; and tells an episode that ends by itself
in the last step that it may have as cut off. So it is made again where seeds are given, with one
more step to an episode than it is to have, and the limit is kept here.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

_LARGEST_SEED = 2**31 - 1
_BOOKKEEPING = ("env_id", "players", "elapsed_step")


def is_pool(env: Any) -> bool:
    """Tell whether this is a pool; loads nothing."""
    module = sys.modules.get("envpool.python.envpool")
    return module is not None and isinstance(env, module.EnvPoolMixin)


def pool_as_it_is(pool: Any) -> SeededPool:
    """Return the form of a pool that can be seeded.

    Raises:
        ValueError: if the pool does not step all its environments at once, or is not registered.
    """
    if pool.is_async:
        raise ValueError(
            "GymEnv: EnvPool must step all its environments at once (batch_size = num_envs), got "
            f"batch_size={pool.config['batch_size']} with num_envs={pool.config['num_envs']}"
        )
    registry = importlib.import_module("envpool.registration").registry
    cls = type(pool)
    for task, forms in registry.envpools.items():
        path, name = forms["gymnasium"]
        if name == cls.__name__ and getattr(importlib.import_module(path), name) is cls:
            config = pool.config
            pool.close()
            return SeededPool(task, config)
    raise ValueError(f"GymEnv: EnvPool's registry has no environment of class {cls.__name__}")


class SeededPool(VectorEnv):
    """A pool that is made when its seeds are known; the step after an episode's end begins another.

    Args:
        task: EnvPool's name of an environment of its class.
        config: what EnvPool makes it with.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, task: str, config: dict[str, Any]) -> None:
        self._task, self._config = task, config
        self._limit = config["max_episode_steps"]
        self._pool: Any = None
        self._ended = np.zeros(config["num_envs"], bool)
        spec = importlib.import_module("envpool").make_spec(task, **self._arguments([0]))
        self.num_envs = config["num_envs"]
        self.single_observation_space = spec.gymnasium_observation_space
        self.single_action_space = spec.gymnasium_action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def _arguments(self, seeds: list[int]) -> dict[str, Any]:
        seeds = [seed % _LARGEST_SEED for seed in seeds]
        given = {**self._config, "max_episode_steps": self._limit + 1}
        del given["env_seed"]
        return {**given, "seed": seeds if len(seeds) == given["num_envs"] else seeds[0]}

    @property
    def make(self) -> Callable[[], SeededPool]:
        """What makes one like it."""
        return functools.partial(SeededPool, self._task, self._config)

    @property
    def max_episode_steps(self) -> int:
        """The longest episode."""
        limit: int = self._limit
        return limit

    def as_new(self, n_envs: int | None = None) -> SeededPool:
        """Return one like it that is yet to be seeded, with as many environments or others."""
        n_envs = n_envs or self.num_envs
        return SeededPool(self._task, {**self._config, "num_envs": n_envs, "batch_size": n_envs})

    def __deepcopy__(self, memo: dict[int, Any]) -> SeededPool:
        """Return one like it: there is no state to copy."""
        return self.as_new()

    def __reduce__(self) -> Any:
        """Refuse: whoever is restored from a snapshot begins new episodes."""
        raise TypeError("EnvPool hands out no state")

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode everywhere; seeds, one for each, make the pool again."""
        if seed is not None or self._pool is None:
            seeds = [0] if seed is None else [seed] if isinstance(seed, int) else list(seed)
            self.close()
            make = importlib.import_module("envpool").make_gymnasium
            self._pool = make(self._task, **self._arguments(seeds))
        self._ended[:] = False
        observations, infos = self._pool.reset()
        return observations, _told(infos)

    def step(self, actions: np.ndarray) -> Any:
        """Take one step, or begin an episode where one has ended."""
        ended = self._ended
        if ended.any():
            return self._step_some(actions, np.flatnonzero(~ended), np.flatnonzero(ended))
        observations, rewards, terminated, _, infos = self._pool.step(actions)
        truncated = (infos["elapsed_step"] >= self._limit) & ~terminated
        self._ended = terminated | truncated
        return observations, rewards, terminated, truncated, _told(infos)

    def _step_some(self, actions: np.ndarray, going_on: np.ndarray, begun: np.ndarray) -> Any:
        """Step those in mid-episode; begin an episode in the others."""
        places = [(begun, (*self._pool.reset(begun), None, None, None))]
        if len(going_on):
            seen, *rest, told = self._pool.step(actions[going_on], going_on)
            places.append((going_on, (seen, told, *rest)))
        n, (first, told, *_) = self.num_envs, places[0][1]
        observations = np.empty((n, *first.shape[1:]), first.dtype)
        rewards, (terminated, truncated) = np.zeros(n, np.float32), np.zeros((2, n), bool)
        infos = {k: np.zeros((n, *v.shape[1:]), v.dtype) for k, v in _told(told).items()}
        for rows, (seen, told, reward, over, _) in places:
            observations[rows] = seen
            for name, value in _told(told).items():
                infos[name][rows] = value
            if reward is not None:
                rewards[rows], terminated[rows] = reward, over
                truncated[rows] = (told["elapsed_step"] >= self._limit) & ~over
        self._ended = terminated | truncated
        return observations, rewards, terminated, truncated, infos

    def close(self, **_: Any) -> None:
        """Let the pool's threads end."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def _told(infos: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the infos that are of the environments, not of how they are stepped."""
    return {
        name: value
        for name, value in infos.items()
        if name not in _BOOKKEEPING and isinstance(value, np.ndarray)
    }


class OneOfPool(gymnasium.Env):
    """A pool of one environment, as a single one.

    Args:
        pool: one like it.
    """

    def __init__(self, pool: SeededPool) -> None:
        self._pool = pool.as_new(1)
        self._make = functools.partial(one_like, pool._task, pool._config)
        self.observation_space = pool.single_observation_space
        self.action_space = pool.single_action_space
        self.render_mode = None

    def __deepcopy__(self, memo: dict[int, Any]) -> OneOfPool:
        """Return one like it, to be reset."""
        return OneOfPool(self._pool)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode."""
        super().reset(seed=seed)
        observations, infos = self._pool.reset(seed=seed)
        return observations[0], {name: value[0] for name, value in infos.items()}

    def step(self, action: Any) -> Any:
        """Take one step."""
        seen, rewards, terminated, truncated, infos = self._pool.step(np.asarray(action)[None])
        told = {name: value[0] for name, value in infos.items()}
        return seen[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), told

    def close(self) -> None:
        """Let the pool's thread end."""
        self._pool.close()


def one_like(task: str, config: dict[str, Any]) -> OneOfPool:
    """Make a single environment as those of a pool are."""
    return OneOfPool(SeededPool(task, config))
