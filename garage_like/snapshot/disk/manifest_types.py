"""What the values of a manifest may be: a manifest of unknown origin is held to it when it is read.

Whoever reads a manifest may then count, format and add up its values without a thought.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

LARGEST = 1 << 63
_LARGEST_SEED = 1 << 4096
_END_OF_TIME = 1e11


def check_values(values: Mapping[str, Any]) -> None:
    """Check the values of a manifest's attributes, by name; unknown ones may be anything.

    Raises:
        ValueError: if one is not what it must be.
    """
    for name, value in values.items():
        is_valid = _VALID.get(name)
        if is_valid is not None and not is_valid(value):
            shown = repr(value)
            raise ValueError(f"{name} is {shown[:40]}{'…' * (len(shown) > 40)}")


def is_count(value: Any) -> bool:
    """Tell whether a value is an integer from 0 that fits 63 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST


def _is_time(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value < _END_OF_TIME


def _is_seed(value: Any) -> bool:
    return value is None or (isinstance(value, int) and abs(value) < _LARGEST_SEED)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _objects_of(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and _are_valid(is_valid, value.values())


def _lists_of(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and _are_valid(is_valid, value)


def _are_valid(is_valid: Callable[[Any], bool], values: Collection[Any]) -> bool:
    """Tell whether all values are; of those that go by their class, without a call for each."""
    classes = _CLASSES.get(is_valid)
    return (classes is not None and classes.issuperset(map(type, values))) or all(
        map(is_valid, values)
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


_CLASSES: dict[Callable[[Any], bool], frozenset[type]] = {
    _is_text: frozenset((str,)),
    _is_object: frozenset((dict,)),
    _is_plain: frozenset((type(None), bool, int, float, str)),
}


def _is_table(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("folder"), str)
        and all(is_count(value.get(name)) for name in ("num_rows", "group_rows", "row_bytes"))
        and value["group_rows"] > 0
        and isinstance(value.get("columns"), dict)
        and all(map(_is_column, value["columns"].values()))
        and _lists_of(lambda clock: isinstance(clock, int))(value.get("changed"))
    )


def _is_column(value: Any) -> bool:
    """Tell whether a value is a type's name, a shape, and a place in the row."""
    return (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and _lists_of(is_count)(value[1])
        and is_count(value[2])
    )


def _is_parent(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and isinstance(value.get("run"), str)
        and is_count(value.get("epoch"))
    )


def _is_change(value: Any) -> bool:
    """Tell whether a value is a setting with the epoch from which on it is another."""
    return isinstance(value, dict) and is_count(value.get("epoch")) and _is_text(value.get("name"))


_VALID: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("epoch", "itr", "total_env_steps", "num_replaced"), is_count),
    **dict.fromkeys(("train_seconds", "created"), _is_time),
    **dict.fromkeys(("seed", "entropy"), _is_seed),
    **dict.fromkeys(("on_gap", "exact"), _is_bool),
    **dict.fromkeys(("metrics", "train_args"), _objects_of(_is_plain)),
    **dict.fromkeys(("classes", "generators", "judged_by"), _objects_of(_is_text)),
    **dict.fromkeys(("reasons", "left_out", "made_again", "skipped"), _lists_of(_is_text)),
    **dict.fromkeys(("fingerprint", "files"), _is_object),
    **dict.fromkeys(("configuration", "normalizers"), _objects_of(_is_object)),
    "env_state": _objects_of(_is_plain),
    "logs": _objects_of(is_count),
    "parent": _is_parent,
    "changes": _lists_of(_is_change),
    "arrays": _lists_of(_is_object),
    "tables": _lists_of(_is_table),
    "written_by": _is_text,
}
