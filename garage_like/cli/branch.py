"""`garage-like branch`: a new run that begins where another was."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.epoch_type import FromEpochType
from garage_like.runs.branching import branch_run, branch_target
from garage_like.snapshot.disk.layout import MANIFEST
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.loading import FromEpoch, run_dir_of, snapshot_path


@click.command(epilog="Example: garage-like branch runs/ppo --from-epoch 40 ppo_again")
@click.argument("run", type=click.Path(path_type=Path))
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
    snapshot = run if (run / MANIFEST).is_file() else snapshot_path(run, from_epoch)
    epoch = Manifest.read(snapshot).epoch
    target = branch_target(run_dir_of(snapshot) or run, epoch, name)
    try:
        made = branch_run(run, from_epoch, target)
    except FileExistsError as error:
        raise click.ClickException(str(error)) from error
    parent = Manifest.read(made).parent
    if as_json:
        printing.print_json({"run": str(target), "snapshot": str(made), "parent": parent})
        return
    printing.echo(f"{target} begins with epoch {epoch} of {run}. To go on:")
    printing.echo(f"  garage-like resume {printing.shell(target)}")
