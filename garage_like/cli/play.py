"""`garage-like play`: watch what a run has learned, as numbers or as a video."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.epoch_type import FromEpochType
from garage_like.cli.seed_option import seed_option
from garage_like.runs.continuation import continuation
from garage_like.snapshot.choosing import FromEpoch

if TYPE_CHECKING:
    from garage_like.pictures.playing import PlayedEpisode

COLUMNS = {"episode": True, "return": True, "length": True, "ended": False}


@click.command(epilog="Example: garage-like play data/local/experiment/ppo --video ppo.mp4")
@click.argument("run", type=RunType("here"))
@click.option("--episodes", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option(
    "--video",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.mp4",
    help="Film them; needs no screen.",
)
@click.option(
    "--from-epoch", type=FromEpochType(), metavar="first|last|best|N", help="Snapshot to play."
)
@click.option("--sample", is_flag=True, help="Sample actions; else the likeliest are taken.")
@seed_option(0, "Of the episodes.")
@click.option("--trust", is_flag=True, help="Run code that a downloaded snapshot brings along.")
@printing.json_option
def play(
    run: Path,
    episodes: int,
    video: Path | None,
    from_epoch: FromEpoch | None,
    sample: bool,
    seed: int,
    trust: bool,
    as_json: bool,
) -> None:
    """Let the policy of RUN play episodes in its environment.

    Nothing in RUN changes.
    """
    from garage_like.pictures.playing import use_no_screen

    use_no_screen()
    played: list[PlayedEpisode] = []
    with _restored(run, from_epoch, trust) as (policy, env):
        try:
            from garage_like.pictures import playing

            for episode in playing.play(
                policy, env, episodes, video=video, deterministic=not sample, seed=seed
            ):
                played.append(episode)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise click.ClickException(" ".join(str(error).split())) from error
    returns = [episode.total_reward for episode in played]
    if as_json:
        told = [vars(episode) for episode in played]
        mean, std = fmean(returns), pstdev(returns)
        shown = None if video is None else str(video)
        printing.print_json({"episodes": told, "mean": mean, "std": std, "video": shown})
        return
    rows = [_row(number, episode) for number, episode in enumerate(played)]
    printing.print_table(COLUMNS, {"": rows}, folded="ended")
    if len(returns) > 1:
        shown_mean, shown_std = (printing.short_number(f(returns)) for f in (fmean, pstdev))
        printing.echo(f"mean return {shown_mean}, standard deviation {shown_std}")
    if video is not None:
        printing.echo(f"Filmed in {video}")


def _row(number: int, episode: PlayedEpisode) -> list[str]:
    ended = "terminated" if episode.terminated else "cut off"
    total = printing.short_number(episode.total_reward)
    return [str(number), total, str(episode.length), ended]


@contextlib.contextmanager
def _restored(run: Path, from_epoch: FromEpoch | None, trust: bool) -> Iterator[tuple[Any, Any]]:
    """Build the policy and the environment, without replay memory."""
    with tempfile.TemporaryDirectory() as nowhere, contextlib.ExitStack() as stack:
        try:
            found = continuation(run, from_epoch, Path(nowhere), include_buffer=False, trust=trust)
        except ValueError as error:
            raise click.ClickException(str(error)) from error
        with contextlib.redirect_stdout(io.StringIO()):
            trainer = stack.enter_context(found.trainer())
        policy = getattr(trainer.algo, "policy", None)
        if policy is None:
            raise click.ClickException(
                f"{found.snapshot}: its algorithm has no attribute `policy` to play"
            )
        env = trainer.get_evaluation_env()
        stack.callback(env.close)
        yield policy, env
