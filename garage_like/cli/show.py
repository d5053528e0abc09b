"""`garage-like show`: all that is known of a run or of one snapshot without running its code."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.runs.overview import RETURN
from garage_like.runs.report import report, snapshots

COLUMNS = {
    "epoch": True,
    "env steps": True,
    "return": True,
    "size": True,
    "age": True,
    "exact": False,
    "directory": False,
}
SHOWN_FIRST, SHOWN_LAST = 2, 10
SHOWN_VALUES, SHOWN_CHARACTERS = 200, 2000


@click.command(epilog="Example: garage-like show data/local/experiment/ppo")
@click.argument("run", type=RunType("here"))
@click.option("--all", "show_all", is_flag=True, help="List all snapshots, however many.")
@printing.json_option
def show(run: Path, show_all: bool, as_json: bool) -> None:
    """Show what RUN is, how far it came, and how to go on."""
    if as_json:
        found = report(run, (0, 0))
        each = snapshots(run) if found.pop("snapshots") else ()
        printing.print_json(found, snapshots=each)
        return
    found = report(run, None if show_all else (SHOWN_FIRST, SHOWN_LAST))
    printing.secho(str(run), bold=True)
    printing.echo(_first_line(found))
    for line in _exactness(found):
        printing.echo(line)
    if found["tags"]:
        printing.echo(f"tags: {', '.join(found['tags'])}")
    if found["note"]:
        printing.echo(found["note"])
    _section("Parameters", _as_text(found["parameters"]))
    _section("Changed since it began", _changes(found["changes"] or ()))
    _section("Components", _as_text(found["classes"] or {}))
    _section("Last row of the log", _as_text(found["metrics"] or {}, printing.short_number))
    _snapshots(found["snapshots"])
    _section("Files", _as_text(found["files"], printing.short_bytes))
    _section("Made with", _as_text(_versions(found["fingerprint"] or {})))
    if found["resume"]:
        printing.echo(f"\nTo go on:\n  {found['resume']}")


def _first_line(found: Mapping[str, Any]) -> str:
    if found["epoch"] is None:
        return "no snapshot that can be read" if found["problems"] else "no snapshot yet"
    algorithm = found["classes"].get("algo", "?").rpartition(".")[2]
    n_epochs = found["train_args"].get("n_epochs")
    parts = [
        f"{algorithm} on {found['environment'] or '?'}",
        f"{found['epoch'] + 1} of {n_epochs or '?'} epochs",
        f"{printing.short_count(found['total_env_steps'])} env steps",
        f"{printing.short_seconds(found['train_seconds'])} of training",
        printing.short_bytes(found["bytes"]),
    ]
    return ", ".join(parts)


def _exactness(found: Mapping[str, Any]) -> Iterable[str]:
    yield from printing.damage(found["problems"])
    if found["parent"]:
        yield f"resumed from epoch {found['parent']['epoch']} of {found['parent']['run']}"
    if found["exact"]:
        yield "exact: a resume with the same versions and processor continues bit for bit"
    for reason in found["reasons"] or ():
        yield f"not exact: {reason}"


def _changes(changes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Say which settings the run goes on with otherwise, and from which epoch on."""
    told: dict[str, str] = {}
    for change in changes:
        name, was, now = change["name"], *(json.dumps(change.get(k)) for k in ("was", "now"))
        told[name] = f"{told.get(name, was)}, {now} from epoch {change['epoch']}"
    return told


def _snapshots(snapshots: Sequence[Mapping[str, Any]]) -> None:
    if not snapshots:
        return
    printing.secho("\nSnapshots", bold=True)
    rows = [_snapshot_row(snapshot) for snapshot in snapshots]
    printing.print_table(COLUMNS, {"": rows}, folded="directory")


def _snapshot_row(snapshot: Mapping[str, Any]) -> list[str]:
    if "hidden" in snapshot:
        told = f"{snapshot['hidden']} more, --all lists them"
        return ["…", *[""] * (len(COLUMNS) - 2), told]
    directory = Path(snapshot["path"]).name
    if "problem" in snapshot:
        return [*[printing.NOTHING] * (len(COLUMNS) - 2), "damaged", directory]
    return [
        str(snapshot["epoch"]),
        printing.short_count(snapshot["total_env_steps"]),
        printing.short_number(snapshot["metrics"].get(RETURN)),
        printing.short_bytes(snapshot["bytes"]),
        printing.age(snapshot["created"]),
        "yes" if snapshot["exact"] else "no",
        directory,
    ]


def _section(title: str, values: Mapping[str, str]) -> None:
    if not values:
        return
    printing.secho(f"\n{title}", bold=True)
    rows = [list(row) for row in itertools.islice(values.items(), SHOWN_VALUES)]
    hidden = len(values) - len(rows)
    if hidden:
        rows.append(["…", f"{hidden} more, --json has them all"])
    printing.print_table({"": False, " ": False}, {"": rows}, folded=" ")


def _as_text(values: Mapping[str, Any], shorten: Any = None) -> dict[str, str]:
    def text(value: Any) -> str:
        told = value if isinstance(value, str) else (shorten or json.dumps)(value)
        return told if len(told) <= SHOWN_CHARACTERS else f"{told[:SHOWN_CHARACTERS]}…"

    return {key: text(value) for key, value in values.items()}


def _versions(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """Put the versions on one line, and each other thing that bits depend on on another."""
    versions = fingerprint.get("versions", {})
    lines = {"versions": ", ".join(f"{name} {version}" for name, version in versions.items())}
    for key, value in fingerprint.items():
        if isinstance(value, dict) and key != "versions":
            lines[key] = ", ".join(f"{name} {setting}" for name, setting in value.items())
        elif key != "versions":
            lines[key] = value
    return {key: value for key, value in lines.items() if value}
