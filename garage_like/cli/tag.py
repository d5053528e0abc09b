"""`garage-like tag`: name runs by what they are to you."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.runs.notes import change_tags, check_is_run, read_notes


@click.command(epilog="Example: garage-like tag data/local/experiment/ppo baseline paper")
@click.argument("run", type=RunType())
@click.argument("tags", nargs=-1)
@click.option("--remove", is_flag=True, help="Take the TAGS away.")
@printing.csv_option
@printing.json_option
def tag(run: Path, tags: tuple[str, ...], remove: bool, as_csv: bool, as_json: bool) -> None:
    """Give RUN tags, or show those that it has.

    `ls --where tag=baseline` finds it by them. A resume and its snapshots know nothing of tags.
    """
    try:
        if tags:
            change_tags(run, *(((), tags) if remove else (tags, ())))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    print_notes(run, as_csv=as_csv, as_json=as_json)


def print_notes(run: Path, *, as_csv: bool, as_json: bool) -> None:
    """Print a run's tags and note."""
    check_is_run(run)
    notes = read_notes(run)
    if as_json:
        printing.print_json({"run": str(run), **asdict(notes)})
    elif as_csv:
        printing.print_csv(["run", "tags", "note"], [[run, ",".join(notes.tags), notes.note]])
    else:
        printing.echo(f"{run}: {', '.join(notes.tags) or 'no tags'}")
        if notes.note:
            printing.echo(notes.note)
