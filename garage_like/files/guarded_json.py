"""JSON of unknown origin, read in bounded time and memory.

A few million brackets become a gigabyte of objects, and a key that stands twice means one thing to
one reader and another to the next. Text is therefore measured before it is parsed.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_BYTES = 16 << 20
MAX_VALUES = 500_000


def parse_object(
    text: bytes | bytearray, *, ascii_only: bool = False, max_values: int | None = None
) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        text: of at most 16 MiB and half a million values.
        max_values: fewer than that, if given.
        ascii_only: refuse other characters, as in files that we write ourselves.

    Raises:
        ValueError: if it is no JSON object, is too large or too deep, has NaN in it, or a key
            twice.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"{len(text)} bytes of JSON, expected at most {MAX_BYTES}")
    if ascii_only and not text.isascii():
        raise ValueError("JSON with characters beyond ASCII")
    most = MAX_VALUES if max_values is None else max_values
    if text.count(b",") + text.count(b"[") + text.count(b"{") > most:
        raise ValueError(f"JSON of more than {most} values")
    try:
        value = _DECODER.decode(text.decode(json.detect_encoding(bytes(text[:4])), "surrogatepass"))
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key of a JSON object stands twice")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_each_key_once)
