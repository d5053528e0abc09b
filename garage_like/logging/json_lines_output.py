"""JsonLinesOutput: progress.jsonl, each logged table as a JSON object on a line of its own."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.logging.light_imports import TabularInput
from garage_like.logging.text_output import TextOutput


def json_line(values: dict[str, Any]) -> str:
    """Write a table as one JSON object.

    JSON has no NaN, which becomes null, nor infinity, which becomes 1e999: parsers read that as
    infinity.
    """
    return "{" + ", ".join([f"{_key(key)}: {_cell(value)}" for key, value in values.items()]) + "}"


@functools.lru_cache(maxsize=1024)
def _key(key: Any) -> str:
    return json.dumps(str(key))


def _cell(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is float:
        if math.isfinite(value):
            return repr(value)
        return "null" if math.isnan(value) else "1e999" if value > 0 else "-1e999"
    return json.dumps(value if isinstance(value, bool | int | float | str) else str(value))


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the tables in a file; none if there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class JsonLinesOutput(TextOutput):
    """Append each table, in the order in which its keys were recorded."""

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Tables."""
        return (TabularInput,)

    def record(self, data: Any, prefix: str = "") -> None:
        """Write the numbers and strings of a table."""
        values = data.as_primitive_dict
        if values:
            self.write_line(json_line(values))
        for key in values:
            data.mark(key)
