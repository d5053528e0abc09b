"""`garage-like hub`: runs to and from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.epoch_type import FromEpochType
from garage_like.errors import HubError
from garage_like.snapshot.choosing import FromEpoch

_PROBLEMS = (HubError, ModuleNotFoundError, OSError, ValueError)


@click.group()
def hub() -> None:
    """Send runs to the Hugging Face Hub, and bring them from there.

    Needs the extra `hub`; log in with `hf auth login`, or set HF_TOKEN.
    """


@hub.command(epilog="Example: garage-like hub push data/local/experiment/ppo my-lab/ppo-cartpole")
@click.argument("run", type=RunType())
@click.argument("repo", metavar="ORG/NAME")
@click.option(
    "--epoch",
    type=FromEpochType(),
    metavar="first|last|best|N",
    default="last",
    show_default=True,
    help="Snapshot to send.",
)
@click.option("--private", is_flag=True, help="If the repository is new, make it private.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@printing.json_option
def push(
    run: Path, repo: str, epoch: FromEpoch, private: bool, dry_run: bool, as_json: bool
) -> None:
    """Send one snapshot of RUN to ORG/NAME, with a model card.

    The card says what the task is, what return was reached with what spread, how to load the run
    and how exactly it resumes. Snapshots that were there before are replaced; older commits keep
    them.
    """
    from garage_like.interop import hub as transfers

    try:
        upload = transfers.push(run, repo, epoch, private=private, dry_run=dry_run)
    except _PROBLEMS as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    if as_json:
        printing.print_json({**upload.as_json(), "dry_run": dry_run})
        return
    total = printing.short_bytes(sum(upload.files.values()))
    said = "would send" if dry_run else "sent"
    printing.echo(f"{upload.snapshot}: {said} {printing.count(len(upload.files), 'file')}, {total}")
    if dry_run:
        for name, size in upload.files.items():
            printing.echo(f"  {name}  {printing.short_bytes(size)}")
    else:
        printing.echo(upload.url)


@hub.command(epilog="Example: garage-like hub pull my-lab/ppo-cartpole@main")
@click.argument("repo", metavar="ORG/NAME[@REV]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory to make: data/local/hub/ORG/NAME, if none.",
)
@printing.json_option
def pull(repo: str, out: Path | None, as_json: bool) -> None:
    """Bring the run ORG/NAME; REV is a branch, a tag or a commit.

    What comes is data: `show`, `verify`, `export` and `diff` read it and run nothing. To build
    its objects, pass --trust to `resume` or `play`, or trust=True to load_policy.
    """
    from garage_like.interop import hub as transfers

    name, _, revision = repo.partition("@")
    try:
        pulled = transfers.pull(name, out, revision or None)
    except _PROBLEMS as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    if as_json:
        printing.print_json(pulled.as_json())
        return
    size = printing.short_bytes(pulled.bytes)
    epochs = printing.ranges(pulled.epochs)
    printing.echo(
        f"{pulled.directory}: epoch {epochs} of {pulled.repo}@{pulled.revision[:12]}, {size}"
    )
    printing.echo(f"It is not trusted yet; look first: garage-like show {pulled.directory}")
