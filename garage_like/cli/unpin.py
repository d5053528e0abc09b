"""`garage-like unpin`: let a snapshot be pruned again."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.epoch_type import FromEpochType
from garage_like.snapshot.choosing import FromEpoch, snapshot_path
from garage_like.snapshot.disk import pins


@click.command(epilog="Example: garage-like unpin data/local/experiment/ppo 40")
@click.argument("run", type=RunType())
@click.argument("epoch", type=FromEpochType())
@printing.json_option
def unpin(run: Path, epoch: FromEpoch, as_json: bool) -> None:
    """Let the snapshot of EPOCH of RUN be pruned again."""
    snapshot = snapshot_path(run, epoch)
    was_pinned = pins.unpin(snapshot)
    if as_json:
        printing.print_json({"snapshot": str(snapshot), "pinned": False, "changed": was_pinned})
    else:
        printing.echo(f"{snapshot}: {'no longer pinned' if was_pinned else 'was not pinned'}")
