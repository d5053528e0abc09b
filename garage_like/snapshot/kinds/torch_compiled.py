"""What `torch.compile` makes of a function: compiled again, with the same options.

Imported only where torch is loaded already.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any


def reduce_compiled(function: types.FunctionType) -> Any:
    """Return how pickle saves a compiled function: by what it was made of; others as they are."""
    context = _context_of(function)
    if context is None:
        return NotImplemented
    return compile_again, (context, vars(function)["_torchdynamo_orig_callable"])


def compile_again(context: Any, function: Callable[..., Any]) -> Any:
    """Compile a function; nothing happens before it is called."""
    return context(function)


def _context_of(function: types.FunctionType) -> Any:
    """Return the options of a compiled function, which can be applied to another; or None."""
    if vars(function).get("_torchdynamo_wrapper_id") != id(function):
        return None  # not itself: attributes are copied to what goes around it
    frames = sys.modules.get("torch._dynamo.eval_frame")
    names = function.__code__.co_freevars
    if frames is None or "self" not in names or function.__closure__ is None:
        return None
    context = function.__closure__[names.index("self")].cell_contents
    return context if isinstance(context, frames._TorchDynamoContext) else None
