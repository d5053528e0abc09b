"""What makes images smaller, or makes images at all: gray, resized, stacked, rendered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue, as the eye sees


class Grayscale(gymnasium.ObservationWrapper):
    """Turn images in colour, shape (H, W, 3), into gray ones, shape (H, W).

    Raises:
        ValueError: if observations are no images in colour.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        _check_images("Grayscale", env, (3,))
        super().__init__(env)
        self.observation_space = spaces.Box(0, 255, env.observation_space.shape[:2], np.uint8)  # type: ignore[index]

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Return the brightness of each pixel."""
        gray: np.ndarray = np.round(observation.dot(_BRIGHTNESS)).astype(np.uint8)
        return gray


class Resize(gymnasium.ObservationWrapper):
    """Scale gray images, shape (H, W), to another size, with weighted means of four pixels.

    Args:
        env: gives images.
        width: pixels.
        height: pixels.

    Raises:
        ValueError: if observations are no gray images.
    """

    def __init__(self, env: gymnasium.Env, width: int, height: int) -> None:
        _check_images("Resize", env, ())
        super().__init__(env)
        self._sizes = (height, width)
        self.observation_space = spaces.Box(0, 255, (height, width), np.uint8)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Return the image at its new size."""
        image = observation.astype(np.float32)
        for axis, size in enumerate(self._sizes):
            image = np.moveaxis(_interpolated(np.moveaxis(image, axis, 0), size), 0, axis)
        return np.round(image).astype(np.uint8)


def _interpolated(rows: np.ndarray, size: int) -> np.ndarray:
    """Return `size` rows at equal distances between the first and the last of some."""
    centres = (np.arange(size) + 0.5) * len(rows) / size - 0.5
    centres = centres.clip(0, len(rows) - 1)
    below = centres.astype(int)
    above = np.minimum(below + 1, len(rows) - 1)
    share = (centres - below).astype(np.float32)[:, None]
    mixed: np.ndarray = rows[below] * (1 - share) + rows[above] * share
    return mixed


class StackFrames(gymnasium.ObservationWrapper):
    """Show the last few gray images at once.

    Args:
        env: gives images, shape (H, W).
        n_frames: how many.
        axis: where they lie: 0, as torch has channels, or 2, as TensorFlow has them.

    Raises:
        ValueError: if observations are no gray images, or the axis is another one.
    """

    def __init__(self, env: gymnasium.Env, n_frames: int, axis: int = 2) -> None:
        _check_images("StackFrames", env, ())
        if axis not in (0, 2):
            raise ValueError(f"StackFrames: axis must be 0 or 2, got {axis!r}")
        super().__init__(env)
        self._n_frames, self._axis = n_frames, axis
        self._frames: list[np.ndarray] = []
        shape: Sequence[int] = env.observation_space.shape or ()
        shape = (n_frames, *shape) if axis == 0 else (*shape, n_frames)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)

    def reset(self, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode: all images are the first one."""
        observation, info = self.env.reset(**options)
        self._frames = [observation] * self._n_frames
        return np.stack(self._frames, self._axis), info

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Return the last images, the newest at the end."""
        self._frames = [*self._frames[1:], observation]
        return np.stack(self._frames, self._axis)


class PixelObservationWrapper(gymnasium.ObservationWrapper):
    """Show what the environment renders, shape (H, W, 3), instead of what it observes.

    Args:
        env: one that can render as `rgb_array`, and does so from now on.
        headless: taken as garage does; nothing needs a screen.

    Raises:
        ValueError: if the environment has no pictures.
    """

    def __init__(self, env: gymnasium.Env, headless: bool = True) -> None:
        known = [env.render_mode, *env.metadata.get("render_modes", ())]
        if "rgb_array" not in known:
            raise ValueError(
                f"PixelObservationWrapper: the environment must render as rgb_array, got {known}"
            )
        env.unwrapped.render_mode = "rgb_array"
        super().__init__(env)
        env.reset()
        shape = np.asarray(env.render()).shape
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)

    def observation(self, observation: Any) -> np.ndarray:
        """Return the picture."""
        return np.asarray(self.env.render())


def _check_images(owner: str, env: gymnasium.Env, channels: tuple[int, ...]) -> None:
    space = env.observation_space
    shape = space.shape or ()
    if not isinstance(space, spaces.Box) or len(shape) != 2 + len(channels):
        raise ValueError(
            f"{owner}: observations must be images of {2 + len(channels)} dimensions, got {space!r}"
        )
    if shape[2:] != channels:
        raise ValueError(f"{owner}: images must have 3 channels at the end, got {space!r}")
