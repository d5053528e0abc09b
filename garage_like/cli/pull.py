"""`garage-like pull`: a run comes back from a mirror."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType


@click.command(epilog="Example: garage-like pull s3://lab/runs/ppo data/local/experiment/ppo")
@click.argument("url")
@click.argument("run", type=RunType())
@click.option("--epoch", type=click.IntRange(min=0), help="Snapshot to bring, not the newest.")
@printing.json_option
def pull(url: str, run: Path, epoch: int | None, as_json: bool) -> None:
    """Make a run directory of what a mirror holds.

    RUN gets one snapshot of URL, with the logs as they were then: enough to resume, exactly. It
    must not hold snapshots yet. Credentials are those of the environment (AWS_ACCESS_KEY_ID ...).
    """
    from garage_like.snapshot.mirror.fetching import fetch
    from garage_like.snapshot.mirror.place import Place, check_url
    from garage_like.snapshot.mirror.reading import reached

    try:
        place = Place(check_url(url))
        with reached(url):
            found = fetch(place, run, "last" if epoch is None else epoch)
    except (FileExistsError, ModuleNotFoundError, ValueError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    if as_json:
        printing.print_json({"run": str(run), "snapshot": str(found)})
    else:
        printing.echo(f"{found}: brought from {url}")
