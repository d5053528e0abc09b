"""Runs and curves that a notebook shows by themselves: a table, a picture; names are escaped."""

from __future__ import annotations

import html
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from garage_like.runs.curves import Band, NothingToDrawError, bands, read_curve
from garage_like.runs.drawing import draw
from garage_like.runs.index import overviews
from garage_like.runs.overview import RETURN, Overview
from garage_like.runs.selection import Condition, check_names, in_order, value_of

SHOWN = 50
_COLUMNS = ("algo", "env", "epochs", "steps", "return", "exact", "tag")


class Runs(Sequence[Overview]):
    """Some runs; a notebook shows them as a table.

    Args:
        runs: what is known of each.
    """

    def __init__(self, runs: Sequence[Overview]) -> None:
        self._runs = list(runs)

    @overload
    def __getitem__(self, place: int) -> Overview: ...

    @overload
    def __getitem__(self, place: slice) -> Runs: ...

    def __getitem__(self, place: int | slice) -> Overview | Runs:
        """Return one of them, or some."""
        return Runs(self._runs[place]) if isinstance(place, slice) else self._runs[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._runs)

    def where(self, *conditions: str) -> Runs:
        """Return those for which conditions hold: `lr<1e-3`, `env=CartPole-v1`, `tag=baseline`."""
        parsed = [Condition.parse(text) for text in conditions]
        check_names([condition.name for condition in parsed], self._runs)
        return Runs([run for run in self._runs if all(one.holds(run) for one in parsed)])

    def sort(self, by: str) -> Runs:
        """Return them in the order of a column, falling after a `-`."""
        check_names([by.removeprefix("-")], self._runs)
        return Runs(in_order(self._runs, by))

    def curves(self, y: str = RETURN, x: str = "TotalEnvSteps", *, group: str = "name") -> Curves:
        """Return their learning curves, grouped as `garage-like plot` does.

        Raises:
            NothingToDrawError: if none has such columns.
        """
        found, problem = [], ""
        for run in self._runs:
            try:
                found.append(read_curve(Path(run.run), x, y))
            except NothingToDrawError as error:
                problem = str(error)
        if not found:
            raise NothingToDrawError(problem or "there is no run")
        return Curves(bands(found, group), x, y)

    def _repr_html_(self) -> str:
        parameters = dict.fromkeys(name for run in self._runs for name in run.parameters)
        names = [*_COLUMNS, *(name for name in parameters if name not in _COLUMNS)]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ["run", *names])
        rows = "".join(
            f"<tr><th>{html.escape(Path(run.run).name)}</th>"
            + "".join(f"<td>{html.escape(_shown(value_of(run, name)))}</td>" for name in names)
            + "</tr>"
            for run in self._runs[:SHOWN]
        )
        more = f"<p>{len(self) - SHOWN} more</p>" if len(self) > SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


class Curves(Sequence[Band]):
    """Learning curves; a notebook draws them.

    Args:
        drawn: means and spreads.
        x: name of the horizontal axis.
        y: name of the vertical one.
    """

    def __init__(self, drawn: Sequence[Band], x: str, y: str) -> None:
        self._drawn, self._x, self._y = list(drawn), x, y

    @overload
    def __getitem__(self, place: int) -> Band: ...

    @overload
    def __getitem__(self, place: slice) -> Curves: ...

    def __getitem__(self, place: int | slice) -> Band | Curves:
        """Return one of them, or some."""
        if isinstance(place, slice):
            return Curves(self._drawn[place], self._x, self._y)
        return self._drawn[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._drawn)

    def _repr_html_(self) -> str:
        picture = io.BytesIO()
        try:
            draw(self._drawn, self._x, self._y, picture)
        except ModuleNotFoundError as error:  # a notebook would show where it was raised
            return f"<p>{html.escape(str(error))}</p>"
        svg = picture.getvalue().decode()
        return svg[svg.index("<svg") :]


def find(root: str | os.PathLike[str] = "data/local") -> Runs:
    """Return the runs at and below a folder; no code of theirs runs."""
    return Runs(sorted(overviews(Path(root)), key=lambda run: run.updated))


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
