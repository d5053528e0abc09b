"""`garage-like slurm`: a batch script for Slurm, whose job goes on until the run is through."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import click

from garage_like.cli import printing

_TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: garage-like slurm --time 4:00:00 ppo.py --seed 3 | sbatch",
)
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--time", "limit", default="4:00:00", show_default=True, help="Limit of a job.")
@click.option(
    "--lead",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Seconds before it at which the run is told to save and end; longer than an epoch.",
)
@click.option("--option", "options", multiple=True, metavar="OPTION", help="Of sbatch, --gpus=1.")
@printing.json_option
def slurm(
    script: Path,
    arguments: tuple[str, ...],
    limit: str,
    lead: int,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print a batch script that runs SCRIPT under Slurm.

    Before its limit the run saves and ends, and the job is queued again until training is through,
    exactly. ARGUMENTS are the script's own.
    """
    seconds = _seconds(limit)
    if lead >= seconds:
        raise click.UsageError(f"--lead {lead}: must be less than --time, {seconds} seconds")
    text = _batch_script(script, arguments, limit, lead, options)
    if as_json:
        printing.print_json({"script": text})
    else:
        printing.echo(text)


def _batch_script(
    script: Path, arguments: tuple[str, ...], limit: str, lead: int, options: tuple[str, ...]
) -> str:
    margin = min(60, max(1, lead // 2))
    program = [sys.executable, "-m", "garage_like.experiment.slurm_job"]
    command = [*program, f"--limit={_seconds(limit)}", f"--margin={margin}"]
    lines = [
        "#!/bin/bash",
        f"#SBATCH --job-name={script.stem}",
        f"#SBATCH --time={limit}",
        f"#SBATCH --signal=B:USR1@{lead}",
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        f"#SBATCH --output={script.stem}-%j.log",
        *(f"#SBATCH {option}" for option in options),
        "",
        f"cd {shlex.quote(str(Path.cwd()))}",
        "# exec, so that the signal reaches what hands it to the run, and not a shell that waits.",
        f"exec {shlex.join([*command, str(script.resolve()), *arguments])}",
    ]
    return "\n".join(lines)


def _seconds(limit: str) -> int:
    """Return a limit of Slurm's in seconds: MM, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS."""
    found = _TIME.fullmatch(limit)
    if found is None:
        raise click.UsageError(f"--time {limit}: expected MM, HH:MM:SS or D-HH:MM:SS")
    days, *rest = found.groups()
    numbers = [int(number) for number in rest if number is not None]
    if days is not None or len(numbers) == 3:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
    else:
        hours, minutes, seconds = 0, numbers[0], (*numbers, 0)[1]
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds
