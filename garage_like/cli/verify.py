"""`garage-like verify`: whether every byte of a run's snapshots is what was written."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.snapshot.disk.verified import problems_unless_pruned
from garage_like.snapshot.reader import list_snapshots


@click.command(epilog="Example: garage-like verify data/local/experiment/ppo")
@click.argument("run", type=click.Path(path_type=Path))
@printing.json_option
@click.pass_context
def verify(ctx: click.Context, run: Path, as_json: bool) -> None:
    """Check every digest of every snapshot of RUN.

    Names each file that is not what was written, and then exits with 1.
    """
    checked = {str(path): problems_unless_pruned(path) for path in list_snapshots(run)}
    problems = {path: found for path, found in checked.items() if found is not None}
    bad = {path: found for path, found in problems.items() if found}
    if as_json:
        printing.print_json({"run": str(run), "good": not bad, "problems": problems})
    else:
        for found in bad.values():
            for problem in found:
                printing.echo(f"damaged: {problem}")
        plural = "" if len(problems) == 1 else "s"
        verdict = f"{len(bad)} damaged" if bad else "every digest holds"
        printing.echo(f"{run}: {len(problems)} snapshot{plural}, {verdict}")
    ctx.exit(1 if bad else 0)
