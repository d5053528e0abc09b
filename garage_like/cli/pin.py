"""`garage-like pin`: keep a snapshot for ever."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.epoch_type import FromEpochType
from garage_like.snapshot.choosing import FromEpoch, snapshot_path
from garage_like.snapshot.disk import pins


@click.command(epilog="Example: garage-like pin data/local/experiment/ppo best")
@click.argument("run", type=RunType())
@click.argument("epoch", type=FromEpochType())
@printing.json_option
def pin(run: Path, epoch: FromEpoch, as_json: bool) -> None:
    """Keep the snapshot of EPOCH of RUN from being pruned.

    EPOCH is a number, first, last or best. This may be done while the run goes on.
    """
    snapshot = snapshot_path(run, epoch)
    is_new = pins.pin(snapshot)
    if as_json:
        printing.print_json({"snapshot": str(snapshot), "pinned": True, "changed": is_new})
    else:
        printing.echo(f"{snapshot}: {'pinned' if is_new else 'was pinned already'}")
