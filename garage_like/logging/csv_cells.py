"""Cells of CSV files that are longer than the `csv` module takes by itself."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator

_ANY_SIZE = (1 << 31) - 1  # a C long, which may have 32 bits


@contextlib.contextmanager
def cells_of_any_size() -> Iterator[None]:
    """Let `csv` read cells above its limit, 128 KiB: a run may log any text."""
    before = csv.field_size_limit(_ANY_SIZE)
    try:
        yield
    finally:
        csv.field_size_limit(before)
