"""Draw learning curves and studies with matplotlib, which is loaded here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from garage_like.errors import install_hint
from garage_like.logging.log_files import check_replaceable
from garage_like.runs.curves import Band, fan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_LINES = 20
"""More curves than these are drawn as how they are spread."""

_SIZE_INCHES = (8.0, 4.8)
_DOTS_PER_INCH = 150
_FEW_POINTS = 30
_LONGEST_LABEL = 40


def draw(bands: Sequence[Band], x: str, y: str, out: Path | IO[bytes]) -> None:
    """Draw means as lines and spreads as shades around them; many curves as how they are spread.

    Where seeds are of unequal length, what is beyond the shortest is dotted: the mean of those that
    have come further. The legend stands beside the curves and covers none.

    Args:
        bands: what is drawn, in this order.
        x: name of the horizontal axis.
        y: name of the vertical one.
        out: the file, whose ending says in which format; or where SVG goes to.

    Raises:
        ValueError: if there is no such format.
        OSError: if the file cannot be written.
    """
    figure = new_figure(_SIZE_INCHES)
    axes = figure.subplots()
    if len(bands) > MAX_LINES:
        _draw_fan(axes, bands)
    else:
        _draw_lines(axes, bands)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    tidy(axes)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(0, 6))
    figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize="small")
    save(figure, out)


def _draw_lines(axes: Axes, bands: Sequence[Band]) -> None:
    for number, band in enumerate(bands):
        color = f"C{number % 10}"
        count = f" (n={len(band.runs)})" if len(band.runs) > 1 else ""
        marker = "o" if len(band.x) <= _FEW_POINTS else None
        style = "-" if number < 10 else "-."
        axes.plot(
            band.x,
            band.mean,
            color=color,
            label=_short(band.label) + count,
            marker=marker,
            markersize=3,
            linestyle=style,
        )
        axes.plot(band.rest[:, 0], band.rest[:, 1], color=color, linestyle=":")
        if len(band.runs) > 1:
            low, high = band.mean - band.spread, band.mean + band.spread
            axes.fill_between(band.x, low, high, color=color, alpha=0.2, linewidth=0)
    told = []
    if any(len(band.runs) > 1 for band in bands):
        told.append("mean ± one standard deviation over runs")
    if any(len(band.rest) for band in bands):
        told.append("dotted: those that have come further")
    axes.set_title("; ".join(told), fontsize="small", loc="right")


def _draw_fan(axes: Axes, bands: Sequence[Band]) -> None:
    for x, quantiles in fan(bands):
        axes.fill_between(x, quantiles[0], quantiles[4], alpha=0.15, linewidth=0, label="5–95 %")
        axes.fill_between(
            x, quantiles[1], quantiles[3], color="C0", alpha=0.3, linewidth=0, label="25–75 %"
        )
        axes.plot(x, quantiles[2], color="C0", label=f"median of {len(bands)} curves")


def draw_study(
    aggregates: Mapping[str, Mapping[str, Any]],
    taus: np.ndarray,
    profiles: Mapping[str, Any],
    score: str,
    out: Path,
) -> None:
    """Draw aggregates with their intervals, and performance profiles below.

    Args:
        aggregates: estimates by method and name.
        taus: thresholds, shape (T,).
        profiles: estimates of shape (T,) by method.
        score: what a score is.
        out: the file; its ending says in which format.

    Raises:
        ValueError: if there is no such format.
        OSError: if the file cannot be written.
    """
    names = list(next(iter(aggregates.values())))
    figure = new_figure((9.0, 2.4 + 0.35 * len(aggregates) + 3.2))
    heights = [1.2 + 0.35 * len(aggregates), 3.2]
    above, below = cast("Any", figure.subfigures(2, 1, height_ratios=heights))
    places = np.atleast_1d(above.subplots(1, len(names), sharey=True))
    for axes, name in zip(places, names, strict=True):
        for place, found in enumerate(aggregates.values()):
            one, color = found[name], f"C{place % 10}"
            axes.barh(place, one.high - one.low, 0.6, one.low, alpha=0.3, color=color)
            axes.plot([one.value] * 2, [place - 0.3, place + 0.3], color=color)
        axes.use_sticky_edges = False
        axes.set_title(name, fontsize="medium")
        axes.set_yticks(range(len(aggregates)), [_short(method) for method in aggregates])
        tidy(axes)
    places[0].invert_yaxis()
    axes = below.subplots()
    for place, (method, one) in enumerate(profiles.items()):
        axes.plot(taus, one.value, color=f"C{place % 10}", label=_short(method))
        axes.fill_between(taus, one.low, one.high, color=f"C{place % 10}", alpha=0.2, linewidth=0)
    axes.set_xlabel(f"τ ({score})")
    axes.set_ylabel("fraction of runs with a score > τ")
    tidy(axes)
    below.legend(loc="outside right upper", frameon=False, fontsize="small")
    save(figure, out)


def new_figure(size: tuple[float, float]) -> Figure:
    """Return a figure that no window knows.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"pictures need matplotlib, which is not installed: {install_hint('plot')}",
            name="matplotlib",
        ) from error

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """Leave out what tells nothing."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, out: Path | IO[bytes]) -> None:
    """Write a figure; the file is there whole, or not at all."""
    if not isinstance(out, Path):
        figure.savefig(out, format="svg")
        return
    # An option of its own, since a draft's name has not the ending that says the format.
    check_replaceable(out)
    kind = out.suffix.lstrip(".").lower() or "png"
    draft = out.with_name(f".draft-{os.getpid()}")
    try:
        figure.savefig(draft, dpi=_DOTS_PER_INCH, format=kind)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _short(label: str) -> str:
    """Return a label that leaves room for the curves, and is no mathematics."""
    text = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
    return text.replace("$", r"\$")
