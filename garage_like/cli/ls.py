"""`garage-like ls`: the runs below a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import ColumnType
from garage_like.cli.printing import NOTHING
from garage_like.runs.overview import Overview

if TYPE_CHECKING:
    from garage_like.runs.selection import Group

COLUMNS = {
    "run": False,
    "algo": False,
    "env": False,
    "epochs": True,
    "steps": True,
    "return": True,
    "size": True,
    "age": True,
    "exact": False,
}


@click.command(epilog="Example: garage-like ls --columns lr,seed --where 'lr<1e-3' --sort -return")
@click.argument("root", default="data/local", type=click.Path(path_type=Path))
@click.option(
    "--columns",
    type=ColumnType(),
    default="",
    metavar="NAMES",
    help="Parameters and metrics to show, too.",
)
@click.option(
    "--where",
    multiple=True,
    type=ColumnType(),
    metavar="CONDITION",
    help="Only runs with lr>=1e-3, env=CartPole-v1, tag=baseline, run~ppo ...",
)
@click.option(
    "--sort",
    type=ColumnType(),
    metavar="NAME",
    help="Order by this, -NAME the other way round.",
)
@click.option("--group", is_flag=True, help="One line for runs that differ in their seed alone.")
@printing.csv_option
@printing.json_option
def ls(
    root: Path,
    columns: str,
    where: tuple[str, ...],
    sort: str | None,
    group: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List the runs below ROOT (data/local).

    Runs are shown folder by folder, and the one that trained last comes last. Epochs are those
    finished and those in total; the return is the average of the last snapshot's epoch; the age
    counts from that snapshot; exact says whether a resume is bit-identical. Conditions, orders and
    further columns go by these, by tag and note, by the experiment's parameters and by the columns
    of its log.
    """
    from garage_like.runs.index import overviews
    from garage_like.runs.selection import Condition, check_names, grouped, in_order
    from garage_like.snapshot.mirror.reading import runs_here

    root = runs_here(root)
    if not root.is_dir():
        raise click.ClickException(f"{root}: no such directory; expected a folder that holds runs")
    runs = sorted(overviews(root), key=lambda run: run.updated)
    more = list(dict.fromkeys(name.strip() for name in columns.split(",") if name.strip()))
    try:
        conditions = [Condition.parse(text) for text in where]
        by = [] if sort is None else [sort.removeprefix("-")]
        if runs:
            check_names([*more, *(condition.name for condition in conditions), *by], runs)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    runs = [run for run in runs if all(condition.holds(run) for condition in conditions)]
    if sort is not None:
        runs = in_order(runs, sort)
    if group:
        _print_groups(grouped(runs), more, as_json=as_json, as_csv=as_csv)
    elif as_csv:
        _print_csv(runs, more)
    elif as_json:
        printing.print_json([asdict(run) for run in runs])
    elif not runs:
        printing.echo(f"No runs below {root}{' of that kind' if where else ''}")
    else:
        _print(runs, root, more, in_folders=sort is None)


def _print(runs: list[Overview], root: Path, more: Sequence[str], *, in_folders: bool) -> None:
    groups: dict[str, list[list[str]]] = {}
    more = [name for name in more if name not in COLUMNS]
    if any(run.tags for run in runs) and "tag" not in more:
        more = [*more, "tag"]
    above = len(os.fspath(root)) if root.parts else 0  # paths below "." do not begin with it
    for run in runs:
        folder = os.path.dirname(run.run)[above:].strip("/") if in_folders else ""
        title = f"{folder}/" if folder else ""
        cells = [*_cells(run), *(_shown(run, name) for name in more)]
        rows = groups.pop(title, [])  # now the last of the groups
        rows.append(cells)
        groups[title] = rows
    headings = {**COLUMNS, **{name: _are_numbers(runs, name) for name in more}}
    printing.print_table(headings, groups, folded="run", gap=1)
    for run in runs:
        for line in printing.damage(run.problems):
            printing.echo(line, err=True)


def _are_numbers(runs: Sequence[Overview], name: str) -> bool:
    """Tell whether no run has a text under a name: numbers end at the right edge."""
    from garage_like.runs.selection import number_of, value_of

    values = (value_of(run, name) for run in runs)
    return all(value is None or number_of(value) is not None for value in values)


def _shown(run: Overview, name: str) -> str:
    from garage_like.runs.selection import value_of

    value = value_of(run, name)
    if isinstance(value, dict | list | bool):
        return json.dumps(value)
    return printing.short_number(value)


def _print_csv(runs: Sequence[Overview], more: Sequence[str]) -> None:
    """Print plain values, every parameter among them."""
    from garage_like.runs.selection import COLUMNS as PLAIN
    from garage_like.runs.selection import value_of

    parameters = list(dict.fromkeys(name for run in runs for name in run.parameters))
    names = list(dict.fromkeys(["path", *PLAIN, *parameters, *more]))
    printing.print_csv(
        names, ([run.run, *(value_of(run, name) for name in names[1:])] for run in runs)
    )


def _print_groups(
    groups: Sequence[Group], more: Sequence[str], *, as_json: bool, as_csv: bool
) -> None:
    headings = {"runs": False, "algo": False, "env": False, "count": True, "return": True}
    more = [name for name in more if name not in headings]
    told = [_group_as_json(one, more) for one in groups] if as_json or as_csv else []
    if as_json:
        printing.print_json(told)
    if as_csv:
        _print_groups_csv(told, more)
    if as_json or as_csv:
        return
    rows = []
    for one in groups:
        first = Path(one.runs[0].run).name
        others = f" and {len(one.runs) - 1} more" if len(one.runs) > 1 else ""
        rows.append(
            [
                f"{first}{others}",
                str(one.value("algo") or NOTHING),
                str(one.value("env") or NOTHING),
                str(len(one.runs)),
                _spread(one, "return"),
                *(_of_group(one, name) for name in more),
            ]
        )
    if rows:
        printing.print_table({**headings, **dict.fromkeys(more, True)}, {"": rows}, folded="runs")


def _print_groups_csv(told: Sequence[dict[str, Any]], more: Sequence[str]) -> None:
    """Print means and deviations as columns of their own."""
    plain = ["algorithm", "environment", "count"]
    spreads = [(name, kind) for name in ("return", *more) for kind in ("mean", "std")]
    printing.print_csv(
        [*plain, *(f"{name}_{kind}" for name, kind in spreads), "runs"],
        (
            [
                *(one[name] for name in plain),
                *((one[name] or {}).get(kind) for name, kind in spreads),
                one["runs"],
            ]
            for one in told
        ),
    )


def _of_group(group: Group, name: str) -> str:
    """Return what all runs have in common, else mean and spread."""
    value = group.value(name)
    return _spread(group, name) if value is None else _shown(group.runs[0], name)


def _spread(group: Group, name: str) -> str:
    found = group.spread(name)
    if found is None:
        return NOTHING
    mean, deviation = map(printing.short_number, found)
    return mean if len(group.runs) == 1 else f"{mean} ± {deviation}"


def _group_as_json(group: Group, more: Sequence[str]) -> dict[str, Any]:
    spreads = {name: group.spread(name) for name in ("return", *more)}
    return {
        "runs": [run.run for run in group.runs],
        "algorithm": group.value("algo"),
        "environment": group.value("env"),
        "count": len(group.runs),
        **{
            name: None if found is None else {"mean": found[0], "std": found[1]}
            for name, found in spreads.items()
        },
    }


def _cells(run: Overview) -> list[str]:
    epochs = NOTHING if run.last_epoch is None else f"{run.last_epoch + 1}/{run.n_epochs or '?'}"
    return [
        os.path.basename(run.run) or run.run,
        run.algorithm or NOTHING,
        run.environment or NOTHING,
        epochs,
        printing.brief_count(run.total_env_steps),
        printing.short_number(run.last_return),
        printing.short_bytes(run.bytes),
        printing.brief_age(run.updated),
        NOTHING if run.exact is None else "yes" if run.exact else "no",
    ]
