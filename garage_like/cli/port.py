"""`garage-like port`: rewrite scripts written for garage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from garage_like.cli import printing
from garage_like.interop.port import port_file, scripts_in


@click.command(epilog="Example: garage-like port examples/ppo_pendulum.py")
@click.argument("scripts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--stdout", is_flag=True, help="Print the one script instead of rewriting it.")
@printing.json_option
def port(scripts: tuple[Path, ...], stdout: bool, as_json: bool) -> None:
    """Rewrite SCRIPTS that were written for garage, in place.

    A directory stands for all Python files below it. Imports, ids of environments and what `step`
    and `reset` return become those of garage_like and gymnasium; defaults of garage that are others
    here are written out. What could not be done is listed with its line. A second run changes
    nothing. Needs LibCST (the extra `port`).
    """
    try:
        files = list(scripts_in(scripts))
        if stdout and (len(files) != 1 or as_json):
            raise click.UsageError("--stdout prints one script, and no JSON")
        told: list[dict[str, Any]] = []
        for path in files:
            try:
                ported = port_file(path, writes=not stdout)
            except ValueError as error:
                told.append({"file": str(path), "changed": [], "left": [[1, str(error)]]})
                continue
            if stdout:
                printing.echo(ported.code.rstrip("\n"))
            told.append({"file": str(path), "changed": ported.changes, "left": ported.left})
    except (ModuleNotFoundError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        printing.print_json(told)
        return
    for one in told:
        for kind in ("left",) if stdout else ("changed", "left"):
            mark = "" if kind == "changed" else "by hand: "
            for line, what in one[kind]:
                printing.echo(f"{one['file']}:{line}: {mark}{what}", err=stdout)
    if not stdout:
        changed = sum(bool(one["changed"]) for one in told)
        left = sum(len(one["left"]) for one in told)
        printing.echo(f"{changed} of {len(told)} files changed; {left} places are left by hand")
