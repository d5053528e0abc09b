"""GymEnv: a gymnasium environment as an Environment."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from garage_like import seeding
from garage_like.configuration.extension_points import overrides
from garage_like.data.batches import EnvStep, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.episode_limit import check_episode_limit, find_time_limit, replace_time_limit
from garage_like.envs.screen import has_screen
from garage_like.envs.space_seeds import seed_all_spaces
from garage_like.envs.vector_gym import VectorGym, native_form, single_form
from garage_like.interfaces import Environment

# Looking a member up on the Enum class costs more than the rest of the classification.
_FIRST, _MID, _TERMINAL, _TIMEOUT = StepType
_new_tuple = tuple.__new__


class GymEnv(Environment):
    """Run a gymnasium environment, and tell termination from truncation.

    A vector environment (`gymnasium.make_vec`) is stepped by a sampler's VectorWorker, N at once,
    and is given once: to a sampler with one worker. What a GymEnv does by itself, and what is
    played to evaluate and to watch, is in a single environment of its kind.

    Observations keep the environment's dtype and are copied, so an environment that hands out one
    buffer again and again does no harm. The first `reset` of a GymEnv seeds the environment and its
    spaces, from the run's seed where no other is given; later ones leave the generators alone.

    Args:
        env: a gymnasium environment, the id of a registered one, or a vector environment; or a
            function that makes a single one, for one that cannot be pickled or copied: the
            innermost is then made again where another is needed, and begins a new episode.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT). It takes the
            place of the environment's own time limit; None keeps that one, if there is one.
        is_image: say that observations are images (uint8, 2 or 3 dimensions).
        flatten_obs: hand out observations of any space as one flat array; None does so with those
            of Dict and Tuple spaces, which come as none otherwise.
        render_mode: how `render` shows the environment; only with an id.
        make_kwargs: further arguments of `gymnasium.make`; only with an id.

    Raises:
        TypeError: if `env` is no id, no gymnasium environment and makes none, or if arguments of
            `gymnasium.make` come with an environment that is already made.
        ValueError: if max_episode_length is not positive, or if observations do not come as one
            array and `flatten_obs` is off, or if either comes with a vector environment.
    """

    _vector: VectorGym | None = None  # in snapshots of before there were any
    _make: Callable[[], gymnasium.Env] | None = None

    def __init__(
        self,
        env: gymnasium.Env | gymnasium.vector.VectorEnv | str | Callable[[], gymnasium.Env],
        is_image: bool = False,
        max_episode_length: int | None = None,
        *,
        flatten_obs: bool | None = None,
        render_mode: str | None = None,
        **make_kwargs: Any,
    ) -> None:
        max_episode_length = check_episode_limit("GymEnv", max_episode_length)
        if render_mode is not None:
            make_kwargs["render_mode"] = render_mode
        if callable(env) and not isinstance(env, gymnasium.Env | gymnasium.vector.VectorEnv):
            self._make, env = env, env()
        if isinstance(env, gymnasium.vector.VectorEnv):
            if flatten_obs or max_episode_length is not None:
                raise ValueError(
                    "GymEnv: flatten_obs and max_episode_length are for single environments; make "
                    "the vector environment with max_episode_steps=... and with gymnasium's own "
                    "wrappers"
                )
            self._vector = VectorGym(env)
            env = single_form(self._vector.env)
        if isinstance(env, str):
            limit = None if max_episode_length is None else int(max_episode_length)
            env = _made(env, max_episode_steps=limit, **make_kwargs)
        else:
            _check_made_env(env, make_kwargs)
            if max_episode_length is not None:
                env = replace_time_limit(env, int(max_episode_length))
        self._env = env
        if flatten_obs is None:
            inner = gymnasium.spaces.Dict | gymnasium.spaces.Tuple
            flatten_obs = isinstance(env.observation_space, inner)
        self._flatten = flatten_obs
        self._is_image = is_image
        observation_space = env.observation_space
        if flatten_obs:
            observation_space = gymnasium.spaces.flatten_space(observation_space)
        _check_observation_space(observation_space, is_image)
        limit = find_time_limit(env) if max_episode_length is None else max_episode_length
        before = env.observation_space if flatten_obs else None
        self._spec = EnvSpec(observation_space, env.action_space, limit, before)
        self._limit = math.inf if limit is None else limit
        self._step_count = 0
        self._seeded = False
        self.needs_reset = True

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    def __getattr__(self, name: str) -> Any:
        """Return what the class of the environment itself has and gymnasium's Env has not.

        Such are `compute_reward` and `set_task`, which programs written for garage call here. What
        tells of a state is the snapshot's affair, and asked of the environment itself.
        """
        inner = None if name.startswith("_") else getattr(self.__dict__.get("_env"), "unwrapped", 0)
        if not inner or "state" in name or hasattr(gymnasium.Env, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if not hasattr(type(inner), name):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}, nor has the class of"
                f" its environment, {type(inner).__name__}"
            )
        return getattr(inner, name)

    @property
    def gym_env(self) -> gymnasium.Env:
        """The gymnasium environment, with all its wrappers."""
        return self._env

    @property
    def n_envs(self) -> int:  # type: ignore[override]
        """How many environments are stepped at once: 1 but for a vector environment."""
        return 1 if self._vector is None else self._vector.n_envs

    def vector_form(self, n_envs: int, max_episode_length: int | None) -> VectorGym | None:
        """Return the vector environment, or gymnasium's own form of this one for N; else None.

        Args:
            n_envs: N.
            max_episode_length: env steps after which an episode is cut off (TIMEOUT).

        Raises:
            ValueError: if a vector environment has another N or longer episodes.
        """
        if self._vector is None:
            if self._flatten or overrides(self, GymEnv, "reset", "step"):
                return None
            return native_form(self._env, n_envs, max_episode_length)
        if (n_envs, max_episode_length) != (self._vector.n_envs, self._spec.max_episode_length):
            raise ValueError(
                f"GymEnv: the vector environment has n_envs={self._vector.n_envs} and "
                f"max_episode_length={self._spec.max_episode_length}, but the sampler asks for "
                f"{n_envs} and {max_episode_length}; leave them out there"
            )
        return self._vector

    @property
    def is_image(self) -> bool:
        """Whether observations are images."""
        return self._is_image

    @property
    def render_modes(self) -> list[str]:
        """How the environment can be made to render."""
        return list(self._env.metadata.get("render_modes", ()))

    @property
    def render_mode(self) -> str | None:
        """How the environment was made to render."""
        return self._env.render_mode

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; return the first observation and the episode infos.

        Args:
            seed: seeds the environment's generator and its spaces; None lets them run on.
        """
        if seed is None and not self._seeded:
            seed = seeding.integer_seed("env")
        if seed is not None:
            seed_all_spaces(seed, self._env)
            self._seeded = True
        observation, info = self._env.reset(seed=seed)
        self._step_count = 0
        self.needs_reset = False
        return self._as_array(observation), info

    def step(self, action: Any) -> EnvStep:
        """Take one env step.

        Raises:
            RuntimeError: if there is no episode to continue.
        """
        if self.needs_reset:
            raise RuntimeError(
                "GymEnv.step: there is no episode to continue (none was begun, or the last one "
                "has ended); call reset() first"
            )
        observation, reward, terminated, truncated, info = self._env.step(action)
        self._step_count = count = self._step_count + 1
        if terminated:
            step_type = _TERMINAL
            self.needs_reset = True
        elif truncated or count >= self._limit:
            step_type = _TIMEOUT
            self.needs_reset = True
        else:
            step_type = _MID if count > 1 else _FIRST
        if type(reward) is np.ndarray:
            reward = reward.item()  # of shape (1,), say; more than one number is an error
        # EnvStep(...) makes the same in three times the time.
        return _new_tuple(
            EnvStep,
            (self._spec, action, float(reward), self._as_array(observation), info, step_type),
        )

    def _as_array(self, observation: Any) -> np.ndarray:
        if self._flatten:
            observation = gymnasium.spaces.flatten(self._env.observation_space, observation)
        return observation.copy() if type(observation) is np.ndarray else np.array(observation)

    def render(self, mode: str = "rgb_array") -> Any:
        """Return a picture of the current state.

        Args:
            mode: one of `render_modes`, whatever it was made to render as.

        Raises:
            ValueError: if it is none of them.
        """
        inner = self._env.unwrapped
        made = inner.render_mode
        if mode != made and mode not in self.render_modes:
            raise ValueError(
                f"GymEnv.render: mode must be one of {self.render_modes}, got {mode!r}"
            )
        inner.render_mode = mode
        try:
            return self._env.render()
        finally:
            inner.render_mode = made

    def visualize(self) -> None:
        """Show the episode in a window from now on, whatever it was made to render as.

        Raises:
            RuntimeError: if it cannot be shown, or there is no screen for a window of MuJoCo's.
        """
        inner = self._env.unwrapped
        if "human" not in inner.metadata.get("render_modes", ()):
            raise RuntimeError(
                f"GymEnv.visualize: {type(inner).__name__} has no window; it renders as "
                f"{inner.metadata.get('render_modes', [])} only"
            )
        if hasattr(inner, "mujoco_renderer") and not has_screen():
            raise RuntimeError("GymEnv.visualize: there is no screen to open a window on")
        inner.render_mode = "human"
        self._env.render()

    def close(self) -> None:
        self._env.close()
        if self._vector is not None:
            self._vector.close()


def _made(env_id: str, **kwargs: Any) -> gymnasium.Env:
    """Make an environment; games of Atari are found though their package was not imported."""
    try:
        return gymnasium.make(env_id, **kwargs)
    except gymnasium.error.UnregisteredEnv:
        if ":" in env_id or importlib.util.find_spec("ale_py") is None:
            raise
    return gymnasium.make(f"ale_py:{env_id}", **kwargs)


def _check_made_env(env: Any, make_kwargs: dict[str, Any]) -> None:
    if not isinstance(env, gymnasium.Env):
        raise TypeError(
            f"GymEnv: env must be a gymnasium.Env or the id of one, got {env!r} of type "
            f"{type(env).__module__}.{type(env).__qualname__}"
        )
    if make_kwargs:
        raise TypeError(
            f"GymEnv: {', '.join(make_kwargs)} can only be given with an environment id, not with "
            "an environment that is already made"
        )


def _check_observation_space(space: gymnasium.Space, is_image: bool) -> None:
    arrays = (
        gymnasium.spaces.Box
        | gymnasium.spaces.Discrete
        | gymnasium.spaces.MultiDiscrete
        | gymnasium.spaces.MultiBinary
    )
    if not isinstance(space, arrays):
        raise ValueError(
            f"GymEnv: observations must come as one array, but the space is {space!r}; pass "
            "flatten_obs=True to flatten them"
        )
    if is_image and not (space.dtype == np.uint8 and len(space.shape or ()) in (2, 3)):
        raise ValueError(
            f"GymEnv: is_image=True needs uint8 observations of 2 or 3 dimensions, got {space!r}"
        )
