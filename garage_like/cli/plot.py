"""`garage-like plot`: learning curves of runs, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import ColumnType, RunType
from garage_like.runs.overview import RETURN
from garage_like.runs.walking import find_runs

if TYPE_CHECKING:
    from garage_like.runs.curves import Band, Curve


@click.command(epilog="Example: garage-like plot data/local/experiment --group lr")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RunType("here"))
@click.option(
    "--group",
    type=ColumnType("name", "none"),
    metavar="name|none|PARAMETER",
    help="Runs that become one curve: those named alike but for a number, none, or those with the"
    " same value of a parameter.",
    default="name",
    show_default=True,
)
@click.option(
    "--x",
    type=ColumnType(),
    default="TotalEnvSteps",
    show_default=True,
    help="Column to draw against.",
)
@click.option("--y", type=ColumnType(), default=RETURN, show_default=True, help="Column to draw.")
@click.option(
    "--smooth",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    metavar="WEIGHT",
    help="Average each run over its past, as TensorBoard does: 0.9, say.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default="curve.png",
    show_default=True,
    help="The picture; its ending says the format: png, svg or pdf.",
)
@printing.csv_option
@printing.json_option
def plot(
    runs: tuple[Path, ...],
    group: str,
    x: str,
    y: str,
    smooth: float,
    out: Path,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Draw a column of the log of RUNs.

    RUN is a run directory, or a folder of such. Runs of a group are drawn as their mean, with one
    standard deviation around it, as far as all of them have come, and dotted from there on. More
    than 20 curves are drawn as how they are spread. A run that was resumed is one curve; a branch
    leaves its parent's curve where it parted.
    """
    from garage_like.runs.curves import NothingToDrawError, bands, smoothed

    try:
        drawn = bands([smoothed(curve, smooth) for curve in _curves(runs, x, y)], group)
        if not any(len(band.x) for band in drawn):
            raise NothingToDrawError(f"no row of these logs has a number in both {x!r} and {y!r}")
        from garage_like.runs.drawing import draw

        draw(drawn, x, y, out)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        raise click.ClickException(
            f"{out}: {error}" if _is_of(out, error) else str(error)
        ) from error
    if as_json:
        printing.print_json({"out": str(out), "x": x, "y": y, "curves": [_told(b) for b in drawn]})
        return
    if as_csv:
        printing.print_csv(
            ["curve", x, y, "spread"],
            ([b.label, *p] for b in drawn for p in zip(b.x, b.mean, b.spread, strict=True)),
        )
        return
    rows = [[b.label, str(len(b.runs)), *_ends(b)] for b in drawn]
    columns = {"curve": False, "runs": True, "up to": True, "mean": True, "spread": True}
    printing.print_table(columns, {"": rows}, folded="curve")
    printing.echo(f"Drawn in {out}")


def _is_of(out: Path, error: Exception) -> bool:
    from garage_like.runs.curves import NothingToDrawError

    told = isinstance(error, NothingToDrawError | ModuleNotFoundError)
    return not told and str(out) not in str(error)


def _curves(given: Sequence[Path], x: str, y: str) -> list[Curve]:
    """Read the curves of all runs; of those below a folder, the ones without a log are left out."""
    from garage_like.runs.curves import NothingToDrawError, read_curve

    found: dict[Path, Curve] = {}
    for path in given:
        if not path.is_dir():
            raise NothingToDrawError(
                f"{path}: no such directory; expected a run, or a folder of runs"
            )
        below = list(find_runs(path))
        for run in below or [path]:
            try:
                curve = read_curve(run, x, y)
            except NothingToDrawError as error:
                if run == path or len(below) == 1:
                    raise
                printing.echo(f"left out: {error}", err=True)
                continue
            found.setdefault(run.resolve(), curve)
    if not found:
        raise NothingToDrawError(
            "there is no run with such a log below " + ", ".join(map(str, given))
        )
    return list(found.values())


def _ends(band: Band) -> list[str]:
    if not len(band.x):
        return [printing.NOTHING] * 3
    spread = printing.short_number(float(band.spread[-1])) if len(band.runs) > 1 else "-"
    return [
        printing.short_number(float(band.x[-1])),
        printing.short_number(float(band.mean[-1])),
        spread,
    ]


def _told(band: Band) -> dict[str, Any]:
    return {
        "label": band.label,
        "runs": [str(run) for run in band.runs],
        "x": band.x.tolist(),
        "mean": band.mean.tolist(),
        "spread": band.spread.tolist(),
    }
