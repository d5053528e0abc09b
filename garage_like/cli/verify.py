"""`garage-like verify`: whether a run's snapshots are what was written, and can be restored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.snapshot.choosing import snapshot_path
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.verified import problems_unless_pruned
from garage_like.snapshot.reader import list_snapshots
from garage_like.snapshot.trial import GONE, TOO_LARGE, RestoreTrial, module_path
from garage_like.snapshot.trust import check_trust

_QUIET_SECONDS = 2.0


@click.command(epilog="Example: garage-like verify data/local/experiment/ppo --restore")
@click.argument("run", type=RunType("here"))
@click.option(
    "--restore",
    "restores",
    is_flag=True,
    help="Restore the newest snapshot, too, in a process of its own; runs code that it holds.",
)
@click.option("--trust", is_flag=True, help="Restore though another user wrote it.")
@printing.json_option
@click.pass_context
def verify(ctx: click.Context, run: Path, restores: bool, trust: bool, as_json: bool) -> None:
    """Check every digest of every snapshot of RUN.

    Reads every byte, and says how far it came if that takes long. Names each file that is not what
    was written, and then exits with 1. With --restore it also names, by its path, each object of
    the newest snapshot that would not come back as it was saved.
    """
    checked = {str(path): problems_unless_pruned(path) for path in _one_by_one(run)}
    problems = {path: found for path, found in checked.items() if found is not None}
    bad = {path: found for path, found in problems.items() if found}
    lost = _lost_in_a_restore(run, trust) if restores else []
    if as_json:
        told = {"run": str(run), "good": not bad and not lost, "problems": problems}
        printing.print_json({**told, "lost": lost} if restores else told)
    else:
        for found in bad.values():
            for problem in found:
                printing.echo(f"damaged: {problem}")
        for problem in lost:
            printing.echo(f"lost in a restore: {problem}")
        plural = "" if len(problems) == 1 else "s"
        verdict = f"{len(bad)} damaged" if bad else "every digest holds"
        tried = "" if not restores else ", a restore loses something" * bool(lost) or ", restored"
        printing.echo(f"{run}: {len(problems)} snapshot{plural}, {verdict}{tried}")
    ctx.exit(1 if bad or lost else 0)


def _one_by_one(run: Path) -> Iterator[Path]:
    """Yield the snapshots to check; where that takes long, say now and then how far it came."""
    listed = list_snapshots(run)
    due = time.monotonic() + _QUIET_SECONDS
    for number, snapshot in enumerate(listed):
        if time.monotonic() > due:
            printing.echo(f"{number} of {len(listed)} snapshots checked ...", err=True)
            due = time.monotonic() + 5 * _QUIET_SECONDS
        yield snapshot


def _lost_in_a_restore(run: Path, trust: bool) -> list[str]:
    """Restore the newest snapshot in a process of its own; return what would not come back."""
    while True:
        snapshot = snapshot_path(run)
        check_trust(snapshot, Manifest.read(snapshot), trust)
        with contextlib.closing(RestoreTrial(snapshot, module_path(snapshot))) as trial:
            trial.wait()
            found = trial.problems()
        if found == [GONE] and snapshot_path(run) != snapshot:
            continue  # a run under way has pruned it
        return [_TOLD.get(problem, problem) for problem in found]


_TOLD = {
    GONE: "the snapshot is damaged, or has gone",
    TOO_LARGE: "its arrays do not fit into the memory that is free here",
}
