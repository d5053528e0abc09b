"""Names of the formats that weights, tables and programs are written in."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = ("safetensors", "npz", "pt")
FORMATS_OF_TABLES = ("npz", "csv", "pt", "safetensors")
PROGRAMS = ("onnx", "torchscript")
ALL = ("safetensors", "pt", "onnx", "torchscript", "npz", "csv")
_SUFFIXES = {".pth": "pt", ".ts": "torchscript"}


def format_of(out: Path) -> str | None:
    """Return the format that a file's suffix stands for, or None."""
    name = _SUFFIXES.get(out.suffix, out.suffix.removeprefix("."))
    return name if name in ALL else None
