"""`garage-like push`: a run's newest snapshot goes to a mirror."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.errors import SnapshotNotFoundError


@click.command(epilog="Example: garage-like push data/local/experiment/ppo s3://lab/runs/ppo")
@click.argument("run", type=RunType())
@click.argument("url")
@printing.json_option
def push(run: Path, url: str, as_json: bool) -> None:
    """Send the newest snapshot of RUN to a mirror.

    Only what is new goes to URL. A training with `mirror=URL` does so by itself; this makes up what
    a network that was away, or a run without a mirror, has left. Only while nobody trains there.
    """
    from garage_like.snapshot.disk.layout import SNAPSHOTS, epochs_in
    from garage_like.snapshot.disk.lock import RunLock
    from garage_like.snapshot.mirror.follower import push_newest
    from garage_like.snapshot.mirror.place import Place, check_url
    from garage_like.snapshot.mirror.reading import reached
    from garage_like.snapshot.mirror.sending import Sender

    if not epochs_in(run / SNAPSHOTS):
        raise SnapshotNotFoundError(f"{run}: no snapshot found there to send")
    try:
        place = Place(check_url(url))
        lock = RunLock(run)
        lock.acquire()
        try:
            sender = Sender(place, run)
            with reached(url):
                sender.take_over()
                sent = push_newest(sender, run)
            sender.close()
        finally:
            lock.release()
    except (ModuleNotFoundError, ValueError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    if as_json:
        printing.print_json({"run": str(run), "sent": sent, "bytes": place.num_sent})
    elif sent is None:
        printing.echo(f"{url} holds the newest snapshot already")
    else:
        printing.echo(f"{sent}: sent to {url}, {printing.short_bytes(place.num_sent)}")
