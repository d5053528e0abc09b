"""`garage-like prune`: remove old snapshots of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.errors import SnapshotError
from garage_like.runs.removal import prune_run


@click.command(epilog="Example: garage-like prune runs/ppo --keep-last 3 --keep-period 100")
@click.argument("run", type=RunType())
@click.option("--keep-last", type=click.IntRange(1), help="Keep so many of the newest.")
@click.option("--keep-best", type=click.IntRange(1), help="Keep so many of the best.")
@click.option("--keep-period", type=click.IntRange(1), help="Keep every so-many-th epoch.")
@printing.dry_run_option
@printing.json_option
def prune(
    run: Path,
    keep_last: int | None,
    keep_best: int | None,
    keep_period: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove old snapshots of RUN.

    The last, the two newest that verify, the best and the pinned always stay. Without a --keep
    option, the rules are those that the run was made with. Best is what the run counts as best.
    """
    rules = {"keep_last": keep_last, "keep_best": keep_best, "keep_period": keep_period}
    try:
        found = prune_run(run, **rules, dry_run=dry_run)
    except SnapshotError:
        raise
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        printing.print_json({**asdict(found), "dry_run": dry_run})
        return
    would = "Would remove" if dry_run else "Removed"
    epochs = printing.ranges(found.removed)
    listed = f" (epochs {epochs})" if found.removed else ""
    printing.echo(
        f"{would} {printing.count(len(found.removed), 'snapshot')}{listed},"
        f" {printing.short_bytes(found.bytes)}; {len(found.kept)} stay"
        f" ({printing.ranges(found.kept)})"
    )
