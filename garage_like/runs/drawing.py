"""Draw learning curves with matplotlib, which is loaded here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from garage_like.runs.curves import Band

_SIZE_INCHES = (8.0, 4.8)
_DOTS_PER_INCH = 150
_FEW_POINTS = 30


def draw(bands: Sequence[Band], x: str, y: str, out: Path) -> None:
    """Draw means as lines and spreads as shades around them.

    Args:
        bands: what is drawn, in this order.
        x: name of the horizontal axis.
        y: name of the vertical one.
        out: the file; its ending says in which format.

    Raises:
        ValueError: if there is no such format.
        OSError: if the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, band in enumerate(bands):
        color = f"C{number % 10}"
        count = f" (n={len(band.runs)})" if len(band.runs) > 1 else ""
        marker = "o" if len(band.x) <= _FEW_POINTS else None
        axes.plot(
            band.x, band.mean, color=color, label=band.label + count, marker=marker, markersize=3
        )
        if len(band.runs) > 1:
            low, high = band.mean - band.spread, band.mean + band.spread
            axes.fill_between(band.x, low, high, color=color, alpha=0.2, linewidth=0)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(0, 6))
    if any(len(band.runs) > 1 for band in bands):
        axes.set_title("mean ± one standard deviation over runs", fontsize="small", loc="right")
    axes.legend(frameon=False, fontsize="small")
    # An option of its own, since a draft's name has not the ending that says the format.
    kind = out.suffix.lstrip(".").lower() or "png"
    draft = out.with_name(f".{out.name}.draft")
    try:
        figure.savefig(draft, dpi=_DOTS_PER_INCH, format=kind)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
