"""Loading what a run has learned, to evaluate it or to use it elsewhere.

Nothing here writes, starts workers or reads replay memory. `load_algo` and `load_policy` build the
objects that were saved; `load_weights` copies arrays alone into objects that are there, and runs no
code of the snapshot. Going on training is the Trainer's: `restore` and `resume`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.loading.objects import load_algo, load_policy
    from garage_like.loading.weights import LoadReport, load_weights

_HOMES = {
    "LoadReport": "garage_like.loading.weights",
    "load_algo": "garage_like.loading.objects",
    "load_policy": "garage_like.loading.objects",
    "load_weights": "garage_like.loading.weights",
}

__all__ = ["LoadReport", "load_algo", "load_policy", "load_weights"]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like.loading' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
