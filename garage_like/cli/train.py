"""`garage-like train`: train from tuned settings, without a script."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import complete_algorithms, complete_environments
from garage_like.cli.seed_option import seed_option
from garage_like.cli.setting_option import setting_option

if TYPE_CHECKING:
    from garage_like.tuned import Settings


@click.command(epilog="Example: garage-like train PPO CartPole-v1 --set algo.discount=0.98")
@click.argument("algo", required=False, shell_complete=complete_algorithms)
@click.argument("env", required=False, shell_complete=complete_environments)
@setting_option("Train with another setting, algo.discount=0.98 say; may be repeated.")
@seed_option(1, "What all randomness derives from.")
@click.option("--n-epochs", type=click.IntRange(1), help="Epochs, if not as in the settings.")
@click.option(
    "--log-dir",
    type=click.Path(path_type=Path),
    help="The run directory, if not below data/local/tuned.",
)
@click.option(
    "--backend",
    type=click.Choice(["torch", "tf", "jax"]),
    default="torch",
    show_default=True,
    help="What trains.",
)
@click.option("--list", "listed", is_flag=True, help="List what there are settings for, and end.")
@printing.json_option
def train(
    algo: str | None,
    env: str | None,
    settings: dict[str, Any],
    seed: int,
    n_epochs: int | None,
    log_dir: Path | None,
    backend: str,
    listed: bool,
    as_json: bool,
) -> None:
    """Train ALGO on ENV with tuned settings.

    It is a run as any other. Killed, the same command goes on with it, or `garage-like resume`. An
    environment for which there are no settings is trained on with the algorithm's defaults.
    """
    from garage_like.tuned import available

    if listed:
        _list(available(backend), as_json)
        return
    if algo is None or env is None:
        raise click.UsageError("expected ALGO and ENV; --list shows what there are settings for")
    if n_epochs is not None:
        settings = {**settings, "train.n_epochs": n_epochs}
    chosen = _checked(algo, env, backend, settings)
    from garage_like.tuned import train as train_from

    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        run = train_from(chosen, seed, log_dir, console=not as_json)
    if as_json:
        printing.print_json({"run": run})


def _checked(algo: str, env: str, backend: str, given: dict[str, Any]) -> Settings:
    """Return settings of which all can be made; what is wrong with them becomes one line."""
    import gymnasium

    from garage_like.tuned import Settings

    try:
        chosen = Settings.find(algo, env, backend).but(given)
        if chosen.are_defaults:
            said = f"No settings for {chosen.algorithm} on {env}: the algorithm's defaults serve"
            printing.echo(said, err=True)
        from garage_like.tuned.building import build

        build(chosen)
    except (TypeError, ValueError, ImportError, gymnasium.error.Error) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    return chosen


def _list(known: dict[str, list[str]], as_json: bool) -> None:
    if as_json:
        printing.print_json(known)
    else:
        for algo, envs in known.items():
            printing.echo(f"{algo}: {', '.join(envs)}")
