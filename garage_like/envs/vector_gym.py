"""VectorGym: a gymnasium vector environment, whatever it does where an episode ends."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import vector as vector_wrappers

from garage_like.data.env_layers import layers_of
from garage_like.data.env_step import VectorStep
from garage_like.envs.pool import OneOfPool, SeededPool, is_pool, pool_as_it_is
from garage_like.envs.space_seeds import seed_all_spaces, seed_spaces
from garage_like.interfaces import VectorEnvironment


class VectorGym(VectorEnvironment):
    """Step N environments at once, in any of gymnasium's autoreset modes.

    Args:
        env: a gymnasium vector environment.

    """

    _wrappers: Sequence[tuple[Any, dict[str, Any]]] = ()  # around what is yet to be made

    def __init__(self, env: VectorEnv) -> None:
        env = _with_seeded_pool(env)
        mode = env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            raise TypeError(
                "VectorGym: the vector environment must say what it does where an episode ends: "
                f"metadata['autoreset_mode'] must be an AutoresetMode, got {mode!r} of {env!r}"
            )
        self._env: VectorEnv | None = env
        self._make = maker_of(env)
        self._mode = mode
        self.n_envs = env.num_envs
        self.idles = mode is AutoresetMode.NEXT_STEP
        self.needs_reset = self.needs_seeds = True

    @property
    def action_space(self) -> gymnasium.Space:
        space: gymnasium.Space = self.env.action_space
        return space

    @property
    def env(self) -> VectorEnv:
        """The vector environment; made again if a restore could not bring it back."""
        if self._env is None:
            if self._make is None:
                raise RuntimeError("VectorGym: nobody knows how the vector environment is made")
            env: Any = self._make()
            for cls, attributes in reversed(self._wrappers):
                inside, env = env, cls.__new__(cls)
                vars(env).update(attributes, env=inside)
            self._env, self._wrappers = env, ()
        return self._env

    def as_new(self) -> dict[str, Any]:
        """Return the state of one like it that is yet to be made, seeded and reset.

        Wrappers are as they are: what one has learned to normalise by is kept.
        """
        wrappers, layer = list(self._wrappers), self._env
        while isinstance(layer, gymnasium.vector.VectorWrapper):
            attributes = {name: value for name, value in vars(layer).items() if name != "env"}
            wrappers.append((type(layer), attributes))
            layer = layer.env
        new = {"_env": None, "_wrappers": wrappers, "needs_reset": True, "needs_seeds": True}
        return {**self.__dict__, **new}

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        """Return None: a copy of an environment is for a single one, to play in."""

    def reset(self, seeds: Sequence[int] | None = None) -> np.ndarray:
        """Begin an episode everywhere; return observations of shape (N, O*).

        Args:
            seeds: one for each environment; one generator for all takes the first. None lets
                generators run on.
        """
        env = self.env
        if seeds is None:
            observations, _ = env.reset()
        else:
            bare = env.unwrapped
            seed_spaces(seeds[0] + 1, env.action_space, env.observation_space)
            seed_spaces(seeds[0], env.single_action_space, env.single_observation_space)
            if isinstance(bare, SyncVectorEnv):
                for one, seed in zip(bare.envs, seeds, strict=True):
                    seed_all_spaces(seed, one)
            each: Any = list(seeds)
            is_many = isinstance(bare, SyncVectorEnv | AsyncVectorEnv | SeededPool)
            observations, _ = env.reset(seed=each if is_many else seeds[0])
            self.needs_seeds = False
        self.needs_reset = False
        return np.array(observations)

    def step(self, actions: np.ndarray) -> VectorStep:
        """Take one step in each environment; begin a new episode where one has ended."""
        env = self.env
        observations, rewards, terminated, truncated, infos = env.step(actions)
        ended = terminated | truncated
        last = None
        if not self.idles and ended.any():
            if self._mode is AutoresetMode.SAME_STEP:
                last = np.stack(infos["final_obs"][ended])
            else:
                last = observations[ended]
                begun, _ = env.reset(options={"reset_mask": ended.copy()})
                observations = np.array(observations)
                observations[ended] = begun[ended]
        return VectorStep(observations, rewards, terminated, ended, last, infos)

    def close(self) -> None:
        if self._env is not None:
            self._env.close()


def _with_seeded_pool(env: VectorEnv) -> VectorEnv:
    """Replace EnvPool's pool, inside the wrappers around it, by one that can be seeded."""
    if is_pool(env):
        return pool_as_it_is(env)
    inner: Any = env
    while isinstance(inner, gymnasium.vector.VectorWrapper):
        if is_pool(inner.env):
            inner.env = pool_as_it_is(inner.env)
        inner = inner.env
    return env


def maker_of(env: VectorEnv) -> Callable[[], VectorEnv] | None:
    """Return what makes the bare environment of a vector environment; None if nothing says how."""
    bare = env.unwrapped
    if isinstance(bare, SeededPool):
        return bare.make
    if isinstance(bare, SyncVectorEnv | AsyncVectorEnv) and isinstance(bare.env_fns, Sequence):
        mode = bare.autoreset_mode
        return _Maker(type(bare), (list(bare.env_fns),), {"autoreset_mode": mode})
    return _Maker(gymnasium.make_vec, (bare.spec,), {}) if bare.spec is not None else None


class _Maker:
    """Call a function with arguments; saved with them."""

    def __init__(self, make: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._make = make
        self._arguments = arguments
        self._named = named

    def __call__(self) -> VectorEnv:
        made: VectorEnv = self._make(*self._arguments, **self._named)
        return made


class _OnlyMany(gymnasium.Env):
    """Stands for one of the environments where nothing says how a single one is made."""

    _wrappers: Sequence[tuple[Any, dict[str, Any]]] = ()  # around what is yet to be made

    def __init__(self, env: VectorEnv) -> None:
        self.observation_space = env.single_observation_space
        self.action_space = env.single_action_space
        self.render_mode = None

    def reset(self, **_: Any) -> Any:
        space = self.observation_space
        return np.zeros(space.shape or (), space.dtype), {}

    def step(self, action: Any) -> Any:
        raise RuntimeError(
            "GymEnv: this is a vector environment, and nothing says how a single environment of "
            "its kind is made; evaluate the policy in an environment of its own (eval_env=...)"
        )


def single_form(env: VectorEnv) -> gymnasium.Env:
    """Return one environment like the N of a vector environment, to evaluate and watch in.

    What the vector environment normalises, it does.
    """
    single = _bare_single_form(env)
    for layer in reversed(layers_of(env)):
        if isinstance(layer, vector_wrappers.NormalizeObservation):
            single = gymnasium.wrappers.NormalizeObservation(single, layer.epsilon)
        elif isinstance(layer, vector_wrappers.NormalizeReward):
            single = gymnasium.wrappers.NormalizeReward(single, layer.gamma, layer.epsilon)
    return single


def _bare_single_form(env: VectorEnv) -> gymnasium.Env:
    bare = env.unwrapped
    if isinstance(bare, SeededPool):
        return gymnasium.wrappers.TimeLimit(OneOfPool(bare), bare.max_episode_steps)
    if isinstance(bare, SyncVectorEnv):
        return copy.deepcopy(bare.envs[0])
    if isinstance(bare, AsyncVectorEnv) and isinstance(bare.env_fns, Sequence):
        return bare.env_fns[0]()
    if env.spec is None or env.spec.entry_point is None:
        return _OnlyMany(env)
    spec = copy.deepcopy(env.spec)
    for name in ("num_envs", "vectorization_mode", "vector_kwargs"):
        spec.kwargs.pop(name, None)
    return gymnasium.make(spec, max_episode_steps=spec.kwargs.pop("max_episode_steps", None))


_THIN = (
    gymnasium.wrappers.PassiveEnvChecker,
    gymnasium.wrappers.OrderEnforcing,
    gymnasium.wrappers.TimeLimit,
)
"""Wrappers that `gymnasium.make` puts around, and that a vector form does without."""


def native_form(
    env: gymnasium.Env, n_envs: int, max_episode_length: int | None
) -> VectorGym | None:
    """Return the form of an environment that steps N at once in arrays, or None if it has none.

    It must be the environment as gymnasium makes it: a wrapper of the user's, or a number that was
    changed afterwards (gravity, say), would be lost.

    Args:
        env: with its wrappers.
        n_envs: N.
        max_episode_length: env steps after which an episode is cut off; None: never.
    """
    inner = env
    while isinstance(inner, gymnasium.Wrapper):
        if type(inner) not in _THIN:
            return None
        inner = inner.env
    spec = env.spec
    if spec is None or spec.vector_entry_point is None or max_episode_length is None:
        return None
    if env.render_mode == "human":
        return None
    kwargs = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
    made = gymnasium.make(spec.id, **kwargs).unwrapped
    if type(made) is not type(inner) or _was_changed(inner, made):
        return None
    try:
        many = gymnasium.make_vec(
            spec.id,
            n_envs,
            vectorization_mode="vector_entry_point",
            max_episode_steps=max_episode_length,
            **kwargs,
        )
    except TypeError:  # it does not take what a single one does
        return None
    differing = many.single_observation_space != env.observation_space
    return None if differing or many.single_action_space != env.action_space else VectorGym(many)


def _was_changed(env: gymnasium.Env, made: gymnasium.Env) -> bool:
    """Tell whether a setting, a number or text, is not as it is in one that was just made."""
    return any(
        getattr(env, name, None) != value
        for name, value in vars(made).items()
        if isinstance(value, int | float | str) and not name.startswith("_np_random")
    )
