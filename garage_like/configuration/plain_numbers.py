"""NumPy's numbers as Python's: sweeps hand them in wherever a number or a truth value is asked for.

The constructors of the framework's own classes see Python's numbers alone (`Configured` turns what
they are given); functions, and classes that are not Configured, ask here.
"""

from __future__ import annotations

from typing import Any


def as_plain(value: Any) -> Any:
    """Return a number or truth value of NumPy as Python's; anything else as it is.

    Does not load NumPy: what is no number of its kind is left alone.
    """
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    is_scalar = type(value).__module__ == "numpy" and not hasattr(value, "__setitem__")
    return value.item() if is_scalar and kind in ("b", "i", "u", "f") else value
