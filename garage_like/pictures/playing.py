"""Playing a policy in its environment, filmed if asked for, without a screen."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.data.batches import EnvStep, StepType
from garage_like.envs.screen import has_screen
from garage_like.envs.wrapper import Wrapper
from garage_like.evaluation import rollout
from garage_like.files.run_files import VIDEOS
from garage_like.interfaces import Environment, Policy
from garage_like.logging.notices import warn
from garage_like.pictures.video import DEFAULT_FPS, VideoFile
from garage_like.snapshot.rng import get_global_rng, set_global_rng

LONGEST_EPISODE = 1000


@dataclass(frozen=True)
class PlayedEpisode:
    """What came of an episode.

    Attributes:
        total_reward: undiscounted.
        length: env steps.
        terminated: whether it ended by itself, not by a limit.
    """

    total_reward: float
    length: int
    terminated: bool


class FilmedEnv(Wrapper):
    """Film every state that an environment goes through.

    Args:
        env: renders as `rgb_array`.
        video: gets the frames.
    """

    def __init__(self, env: Environment, video: VideoFile) -> None:
        super().__init__(env)
        self._video = video

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode, and film how it begins."""
        result = super().reset(seed=seed)
        self._video.add(self.render("rgb_array"))
        return result

    def step(self, action: Any) -> EnvStep:
        """Take one env step, and film what came of it."""
        step = super().step(action)
        self._video.add(self.render("rgb_array"))
        return step


def play(
    policy: Policy,
    env: Environment,
    n_episodes: int,
    *,
    video: Path | None = None,
    deterministic: bool = True,
    seed: int | None = None,
) -> Iterator[PlayedEpisode]:
    """Play episodes in the environment itself, and yield what came of each.

    Args:
        policy: acts.
        env: is changed.
        n_episodes: how many.
        video: where to film them; the file is whole after the last one.
        deterministic: take the mode of the policy's distribution instead of a sample.
        seed: of the environment and of sampled actions; None lets them go on as they are.

    Raises:
        ImportError: if a video is wanted and PyAV is not installed.
        RuntimeError: if a video is wanted and the environment cannot be filmed.
    """
    with contextlib.ExitStack() as stack:
        if video is not None:
            fps = render_without_screen(env)
            env = FilmedEnv(env, stack.enter_context(VideoFile(video, fps)))
        rng = seeding.stream("play") if seed is None else np.random.default_rng(seed)
        if seed is not None:
            _innermost(env).reset(seed=seed)
        limit = None if env.spec.max_episode_length else LONGEST_EPISODE
        for _ in range(n_episodes):
            try:
                episode = rollout(
                    env, policy, max_episode_length=limit, deterministic=deterministic, rng=rng
                )
            except Exception as error:
                if video is None:
                    raise
                raise RuntimeError(
                    f"{type(_innermost(env)).__name__} could not be filmed: {error}. Without a"
                    " screen, MuJoCo needs MUJOCO_GL=egl or MUJOCO_GL=osmesa, and the library of"
                    " that name"
                ) from error
            yield PlayedEpisode(
                total_reward=float(np.sum(episode["rewards"], dtype=np.float64)),
                length=len(episode["rewards"]),
                terminated=bool(episode["step_types"][-1] == StepType.TERMINAL),
            )


def use_no_screen() -> None:
    """Let pygame and MuJoCo draw into memory; takes effect if neither is loaded yet."""
    if not has_screen():
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("MUJOCO_GL", "egl")


def render_without_screen(env: Environment) -> float:
    """Make an environment render as `rgb_array`, in the state that it is in.

    Returns:
        Frames for one second.

    Raises:
        RuntimeError: if it does not render that way.
    """
    use_no_screen()
    gym_env = getattr(_innermost(env), "gym_env", None)
    if gym_env is None:
        return DEFAULT_FPS  # one of the user's own, which `render` will tell
    inner = gym_env.unwrapped
    if "rgb_array" not in inner.metadata.get("render_modes", ()):
        raise RuntimeError(
            f"{type(inner).__name__} cannot be filmed: it does not render as 'rgb_array', only as"
            f" {inner.metadata.get('render_modes', [])}"
        )
    # An environment that is made again would have lost its state and its wrappers' statistics.
    inner.render_mode = "rgb_array"
    return float(inner.metadata.get("render_fps") or DEFAULT_FPS)


def _innermost(env: Environment) -> Any:
    return getattr(env, "unwrapped", env)


def film_epoch(
    run_dir: Path, epoch: int, algo: Any, make_env: Callable[[], Environment] | None
) -> None:
    """Film one episode as `videos/epoch_000010.mp4`, the same situation in every epoch.

    It is played in a copy of the environment, and generators are put back: training goes on as if
    nothing had been. If there can be no video, that is a warning.

    Args:
        run_dir: the run directory.
        epoch: is in the file's name.
        algo: its policy takes its likeliest actions; without one nothing is filmed.
        make_env: makes a copy of what is trained in; without it nothing is filmed.
    """
    policy = getattr(algo, "policy", None)
    if policy is None or make_env is None:
        return
    before = get_global_rng()
    video = run_dir / VIDEOS / f"epoch_{epoch:06d}.mp4"
    try:
        with contextlib.closing(make_env()) as copied:
            seed = seeding.integer_seed("videos") % 2**31
            list(play(policy, copied, 1, video=video, seed=seed))
    except Exception as error:
        warn(f"no video of epoch {epoch}, training goes on: {error}", stacklevel=3)
    finally:
        set_global_rng(before)
