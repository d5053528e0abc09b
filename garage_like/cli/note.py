"""`garage-like note`: say something of a run."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.tag import print_notes
from garage_like.runs.notes import set_note


@click.command(epilog="Example: garage-like note data/local/experiment/ppo 'entropy collapsed'")
@click.argument("run", type=RunType())
@click.argument("text", required=False)
@printing.csv_option
@printing.json_option
def note(run: Path, text: str | None, as_csv: bool, as_json: bool) -> None:
    """Say something of RUN, or show what was said.

    TEXT goes in place of what was said; an empty one takes the note away.
    """
    try:
        if text is not None:
            set_note(run, text)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    print_notes(run, as_csv=as_csv, as_json=as_json)
