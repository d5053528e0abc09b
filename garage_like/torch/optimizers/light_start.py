"""Make an optimizer without loading torch's compiler.

torch keeps its compiler from looking into some methods of optimizers, and loads the compiler, and
SymPy with it, at the first call of one of them: two seconds, as long as torch itself takes, in
every run that compiles nothing.
"""

from __future__ import annotations

import sys

import torch

_METHODS = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
_MARK = "__dynamo_disable"  # where torch keeps what it calls instead


def leave_compiler_alone() -> None:
    """Let those methods be called as they are, unless the compiler is loaded already.

    A run that compiles something loads the compiler then, and is none the worse: these methods are
    not called from compiled code. Where torch is built otherwise, nothing happens.
    """
    if "torch._dynamo" in sys.modules:
        return
    for name in _METHODS:
        function = getattr(getattr(torch.optim.Optimizer, name, None), "__wrapped__", None)
        if function is not None and not hasattr(function, _MARK):
            setattr(function, _MARK, function)
