"""What of this package computes results, where there is a choice: bits depend on it."""

from collections.abc import Callable

COMPUTED_BY: dict[str, Callable[[], str]] = {}
"""By the name of the work, a function that says what does it in this process, such as NumPy.

Filled by whatever does the work when it is imported; snapshots record what the functions say.
"""
