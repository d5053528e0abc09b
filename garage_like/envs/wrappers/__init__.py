"""Wrappers around gymnasium's environments, by garage's names: Atari games, and pixels.

What they do is that of Mnih et al. 2015, doi:10.1038/nature14236. They come inside GymEnv:
`GymEnv(StackFrames(Grayscale(env), 4))`.
"""

from garage_like.envs.wrappers.games import (
    AtariEnv,
    ClipReward,
    EpisodicLife,
    FireReset,
    MaxAndSkip,
    Noop,
)
from garage_like.envs.wrappers.images import (
    Grayscale,
    PixelObservationWrapper,
    Resize,
    StackFrames,
)

__all__ = [
    "AtariEnv",
    "ClipReward",
    "EpisodicLife",
    "FireReset",
    "Grayscale",
    "MaxAndSkip",
    "Noop",
    "PixelObservationWrapper",
    "Resize",
    "StackFrames",
]
