"""`garage-like verify-resume`: whether a script's runs resume bit for bit."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import click

from garage_like.audit.resume_audit import Audit, AuditError
from garage_like.audit.resume_audit import verify_resume as audit_script
from garage_like.cli import printing

COLUMNS = {"epoch": True, "compared": True, "result": False}
SHOWN_PATHS = 5


class PatternType(click.ParamType):
    """A regular expression."""

    name = "pattern"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the pattern, if it is one."""
        try:
            re.compile(value)
        except re.error as error:
            self.fail(f"{value!r} is no regular expression: {error}")
        return value


@click.command(
    name="verify-resume",
    epilog="Example: garage-like verify-resume my_script.py --epochs 3 -- --seed 7",
)
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--epochs", default=5, show_default=True, type=click.IntRange(2), help="Epochs to train."
)
@click.option(
    "--log-dir",
    type=click.Path(path_type=Path),
    metavar="NEW",
    help="Keep the runs in a new directory.",
)
@click.option(
    "--ignore",
    multiple=True,
    type=PatternType(),
    metavar="PATTERN",
    help="Leave out what has a path in which this is found; may be repeated.",
)
@printing.json_option
@click.pass_context
def verify_resume(
    ctx: click.Context,
    script: Path,
    arguments: tuple[str, ...],
    epochs: int,
    log_dir: Path | None,
    ignore: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check that SCRIPT resumes bit for bit, by killing it.

    The script is run straight, and twice with a kill (SIGKILL) and a resume after each epoch, once
    from the run's directory and once by running the script again, all in fresh processes; its own
    runs are not touched. At every epoch's end they must agree in all that a snapshot saves.
    ARGUMENTS are the script's; put -- before them if they begin with a dash.

    Exits with 0 if the runs agree, 1 if they differ, 2 if the script cannot be run.
    """

    def say(line: str) -> None:
        if not as_json:
            printing.echo(line, err=True)

    try:
        audit = audit_script(
            script, arguments, n_epochs=epochs, folder=log_dir, ignore=ignore, report=say
        )
    except (AuditError, OSError) as error:
        raise printing.Trouble(str(error)) from error
    if as_json:
        printing.print_json({**asdict(audit), "equal": audit.equal})
    else:
        _print(audit)
    ctx.exit(0 if audit.equal else 1)


def _print(audit: Audit) -> None:
    rows = [
        [str(epoch), printing.short_count(count), result]
        for epoch, (count, result) in enumerate(zip(audit.num_compared, audit.results, strict=True))
    ]
    printing.print_table(COLUMNS, {"": rows}, folded="result")
    found = audit.difference
    if found is None:
        resumes = f"{audit.n_epochs - 1} resumes each way"
        printing.echo(f"\nExact: {audit.n_epochs} epochs, {resumes}, no bit differs.")
        return
    when = {
        "set up": "before the first epoch",
        "epoch": f"at the end of epoch {found.epoch}",
        "restore": f"when the snapshot of epoch {found.epoch} was restored",
    }[found.moment]
    printing.echo(f"\nThe runs differ first {when}, in\n  {found.component}")
    printing.echo(f"    never killed: {found.straight}\n    killed:       {found.killed}")
    printing.echo(f"Reason: {found.reason}.")
    if found.moment == "restore" or found.epoch > 0:
        printing.echo(f"The run was resumed {audit.way}.")
    others = [path for path in found.paths if path != found.component]
    if others:
        more = found.num_paths - SHOWN_PATHS
        tail = f", and {more} more" if len(others) > SHOWN_PATHS else ""
        printing.echo(f"Also different: {', '.join(others[:SHOWN_PATHS])}{tail}")
    if audit.folder:
        printing.echo(f"The runs are in {audit.folder}")
