"""`garage-like rm`: remove a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.runs.removal import Removal, remove_run


@click.command(epilog="Example: garage-like rm data/local/experiment/ppo_1 --dry-run")
@click.argument("run", type=RunType())
@printing.dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@printing.json_option
def rm(run: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove RUN: its snapshots, its logs, the whole directory.

    Asks before it does. A run that is being trained is refused; runs that were branched from it
    stay whole.
    """
    try:
        found = remove_run(run, dry_run=True)
        if as_json and not (yes or dry_run):
            raise click.UsageError("--json cannot ask; give --yes or --dry-run with it")
        if not dry_run:
            if not yes:
                click.confirm(
                    f"{printing.printable(_shown(found))}\nRemove it?", abort=True, err=True
                )
            remove_run(run)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        printing.print_json({**asdict(found), "dry_run": dry_run})
    else:
        printing.echo(f"{'Would remove' if dry_run else 'Removed'} {_shown(found)}")


def _shown(found: Removal) -> str:
    snapshots = printing.count(len(found.removed), "snapshot")
    pinned = f", {len(found.pinned)} of them pinned" if found.pinned else ""
    return f"{found.run}: {snapshots}{pinned}, {printing.short_bytes(found.bytes)}"
