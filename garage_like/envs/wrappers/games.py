"""What makes an Atari game easier to learn: lives, frames that are skipped, rewards of one size."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class AtariEnv(gymnasium.Wrapper):
    """Change nothing: garage's let a game's `reset` take what others take, and gymnasium's do."""


class ClipReward(gymnasium.Wrapper):
    """Keep the sign of each reward alone."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one env step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, float(np.sign(float(reward))), terminated, truncated, info


class EpisodicLife(gymnasium.Wrapper):
    """End an episode with each life; the game itself starts over only when it is over."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self._lives = 0
        self._is_over = True

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one env step; the episode terminates where a life is lost."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._is_over = terminated or truncated
        lives = self._lives_left()
        terminated = terminated or 0 < lives < self._lives
        self._lives = lives
        return observation, reward, terminated, truncated, info

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin with the next life, or a new game where there is none or a seed is given."""
        if self._is_over or options.get("seed") is not None:
            observation, info = self.env.reset(**options)
            self._is_over = False
        else:
            observation, _, terminated, truncated, info = self.env.step(0)
            if terminated or truncated:
                observation, info = self.env.reset(**options)
        self._lives = self._lives_left()
        return observation, info

    def _lives_left(self) -> int:
        return int(self.env.unwrapped.ale.lives())  # type: ignore[attr-defined]


class FireReset(gymnasium.Wrapper):
    """Press the button that begins a game.

    Raises:
        ValueError: if action 1 is another one.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        meanings = env.unwrapped.get_action_meanings()  # type: ignore[attr-defined]
        if len(meanings) < 2 or meanings[1] != "FIRE":
            raise ValueError(f"FireReset: action 1 must be FIRE, got {meanings!r}")

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and fire."""
        _, info = self.env.reset(**options)
        observation, _, terminated, truncated, _ = self.env.step(1)
        if terminated or truncated:
            observation, info = self.env.reset(**options)
        return observation, info


class MaxAndSkip(gymnasium.Wrapper):
    """Repeat each action, and see the brighter of the last two frames at each pixel.

    Args:
        env: the game.
        skip: how often.

    Raises:
        ValueError: if it is no positive number.
    """

    def __init__(self, env: gymnasium.Env, skip: int = 4) -> None:
        if skip < 1:
            raise ValueError(f"MaxAndSkip: skip must be at least 1, got {skip!r}")
        super().__init__(env)
        self._skip = skip

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take up to `skip` env steps; rewards are summed."""
        total, frames = 0.0, []
        for _ in range(self._skip):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            frames.append(observation)
            if terminated or truncated:
                break
        return np.max(frames[-2:], axis=0), total, terminated, truncated, info


class Noop(gymnasium.Wrapper):
    """Do nothing for a random number of frames when an episode begins.

    Args:
        env: the game.
        noop_max: at most so many; at least 1.

    Raises:
        ValueError: if noop_max is no positive number, or action 0 does something.
    """

    def __init__(self, env: gymnasium.Env, noop_max: int = 30) -> None:
        meanings = env.unwrapped.get_action_meanings()  # type: ignore[attr-defined]
        if noop_max < 1 or meanings[0] != "NOOP":
            raise ValueError(
                "Noop: noop_max must be at least 1 and action 0 must be NOOP, got"
                f" {noop_max!r} and {meanings[0]!r}"
            )
        super().__init__(env)
        self._noop_max = noop_max

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the number follows from the environment's own generator."""
        observation, info = self.env.reset(**options)
        for _ in range(int(self.env.unwrapped.np_random.integers(1, self._noop_max + 1))):
            observation, _, terminated, truncated, info = self.env.step(0)
            if terminated or truncated:
                observation, info = self.env.reset()
        return observation, info
