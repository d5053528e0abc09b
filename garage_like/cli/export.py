"""`garage-like export`: weights, tables and policies of a snapshot as files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType, complete_parts
from garage_like.cli.epoch_type import FromEpochType
from garage_like.errors import SnapshotError
from garage_like.interop import formats
from garage_like.snapshot.choosing import FromEpoch

if TYPE_CHECKING:
    from garage_like.snapshot.reader import SnapshotReader

EXAMPLES = """\b
Examples:
  garage-like export data/local/experiment/ppo policy.safetensors
  garage-like export data/local/experiment/ppo --all agent.pt
  garage-like export data/local/experiment/ppo --epoch best policy.onnx
  garage-like export data/local/experiment/sac --table replay_buffer memory.csv
"""


@click.command(epilog=EXAMPLES)
@click.argument("run", type=RunType("here"))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--epoch",
    type=FromEpochType(),
    metavar="first|last|best|N",
    default="last",
    show_default=True,
    help="Snapshot to export from.",
)
@click.option(
    "--component",
    metavar="NAME",
    shell_complete=complete_parts,
    help="Part whose weights to write: policy, if none.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Write the arrays of all modules to one file."
)
@click.option(
    "--table",
    metavar="NAME",
    shell_complete=complete_parts,
    help="Table to write, instead of weights.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(formats.ALL),
    help="How to write it, if the name of OUT does not tell.",
)
@printing.trust_option
@printing.json_option
def export(
    run: Path,
    out: Path,
    epoch: FromEpoch,
    component: str | None,
    everything: bool,
    table: str | None,
    file_format: str | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Write weights, a table or the policy of RUN to a file.

    Weights as safetensors, npz and pt, and tables as these and csv, are copied as data.
    ONNX and TorchScript hold the policy as a program that maps observations to its most likely
    actions; for them objects are built, which runs code of the snapshot.
    """
    if component is not None and table is not None:
        raise click.UsageError("give --component or --table, not both")
    if everything and (component or table):
        raise click.UsageError("give --all, or --component or --table, not both")
    chosen = file_format or formats.format_of(out)
    if chosen is None:
        raise click.UsageError(f"{out}: its name tells no format; give --format")
    name = table or component or "policy"
    try:
        if everything:
            name = _write_all(run, out, epoch, chosen)
        else:
            _write(run, out, epoch, name, table is not None, chosen, trust)
    except SnapshotError:
        raise
    except (ValueError, ModuleNotFoundError, OSError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    if as_json:
        size = out.stat().st_size
        printing.print_json({"out": str(out), "name": name, "format": chosen, "bytes": size})
    else:
        printing.echo(f"{out}: {name} as {chosen}, {printing.short_bytes(out.stat().st_size)}")


def _write(
    run: Path, out: Path, epoch: FromEpoch, name: str, is_table: bool, chosen: str, trust: bool
) -> None:
    from garage_like.interop import export as exports

    if is_table:
        exports.export_table(_opened(run, epoch), name, chosen, out)
    elif chosen in formats.PROGRAMS:
        exports.export_program(run, epoch, name, chosen, out, trust=trust)
    else:
        exports.export_weights(_opened(run, epoch), name, chosen, out)


def _write_all(run: Path, out: Path, epoch: FromEpoch, chosen: str) -> str:
    from garage_like.interop import export as exports

    return ", ".join(exports.export_all_weights(_opened(run, epoch), chosen, out))


def _opened(run: Path, epoch: FromEpoch) -> SnapshotReader:
    from garage_like.snapshot.reader import read_snapshot

    return read_snapshot(run, epoch)
