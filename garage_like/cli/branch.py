"""`garage-like branch`: a new run that begins where another was."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.epoch_type import FromEpochType
from garage_like.runs.branching import branch_run
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.loading import run_dir_of


@click.command(epilog="Example: garage-like branch runs/ppo --from-epoch 40 ppo_again")
@click.argument("run", type=RunType())
@click.argument("name", required=False)
@click.option(
    "--from-epoch",
    type=FromEpochType(),
    metavar="first|last|best|N",
    default="last",
    show_default=True,
    help="Snapshot to begin with.",
)
@printing.json_option
def branch(run: Path, name: str | None, from_epoch: FromEpoch, as_json: bool) -> None:
    """Make a new run that begins with a snapshot of RUN.

    NAME is that of the new run directory, beside RUN, or a path. RUN is left as it is; the new run
    knows its parent, tree shows both, and resume goes on with it.
    """
    try:
        made = branch_run(run, from_epoch, name)
    except FileExistsError as error:
        raise click.ClickException(str(error)) from error
    begun, target = Manifest.read(made), run_dir_of(made)
    if as_json:
        printing.print_json({"run": str(target), "snapshot": str(made), "parent": begun.parent})
        return
    printing.echo(f"{target} begins with epoch {begun.epoch} of {run}. To go on:")
    printing.echo(f"  garage-like resume {printing.shell(target or made)}")
