"""An experiment's parameters as JSON and as parts of a file name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from garage_like.configuration.plain_values import to_json

_MAX_PART_BYTES = 60
MAX_NAME_BYTES = 200
_UNSAFE = re.compile(r"[^\w.,+=-]")


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which parameters differ, with both values; both as `to_json` returns them."""
    found = []
    for key in dict.fromkeys([*old, *new]):
        was = json.dumps(old[key]) if key in old else "absent"
        is_now = json.dumps(new[key]) if key in new else "absent"
        if was != is_now:
            found.append(f"{key} was {was} and is now {is_now}")
    return found


def name_with(name: str, parameters: Mapping[str, Any]) -> str:
    """Append `key=value` for each parameter; the result is safe as a file name.

    Values whose text must be changed or cut carry a hash of the whole, so that different values
    give different names.
    """
    parts = [f"{key}={_part(value)}" for key, value in parameters.items()]
    return _cut("_".join([name, *parts]), MAX_NAME_BYTES)


def _part(value: Any) -> str:
    text = _plain_text(value)
    safe = _UNSAFE.sub("_", text)
    if safe != text:
        safe = f"{_head(safe, _MAX_PART_BYTES - 9)}-{_digest(text)}"
    return _cut(safe, _MAX_PART_BYTES)


def _plain_text(value: Any) -> str:
    if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
        return str(value.__name__)
    plain = to_json(value)
    if isinstance(plain, list) and plain and all(isinstance(item, int | float) for item in plain):
        return "-".join(map(str, plain))
    return json.dumps(plain) if isinstance(plain, list | dict) else str(plain)


def _cut(text: str, max_bytes: int) -> str:
    if len(text.encode()) <= max_bytes:
        return text
    return f"{_head(text, max_bytes - 9)}-{_digest(text)}"


def _head(text: str, max_bytes: int) -> str:
    return text.encode()[:max_bytes].decode(errors="ignore")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
