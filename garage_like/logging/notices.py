"""Tell the user something, and go on whatever becomes of it: nobody may listen any more.

A pipe whose reader has ended, a full disk behind `>`, a stream that is closed, warnings that are
turned into errors: none of them is a reason to end a training.
"""

from __future__ import annotations

import contextlib
import sys
import warnings


def warn(message: str, category: type[Warning] = UserWarning, stacklevel: int = 1) -> None:
    """Warn as `warnings.warn` does; where a filter makes an error of it, print it instead.

    Args:
        message: what to say.
        category: of the warning.
        stacklevel: as of `warnings.warn`, called where this is called.
    """
    try:
        warnings.warn(message, category, stacklevel=stacklevel + 1)
    except Exception:  # the warning itself, or what an own `showwarning` raises
        with contextlib.suppress(Exception):
            print(f"{category.__name__}: {message}", file=sys.stderr, flush=True)
