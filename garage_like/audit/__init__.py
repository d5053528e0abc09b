"""Do two runs agree, bit for bit? The determinism auditor, and the comparison of runs on disk.

`verify_resume` runs a script straight, and killed and resumed after each epoch, and compares the
state at every safe point. `diff_runs` compares what two runs left on the disk, as data alone.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.audit.resume_audit import Audit, AuditError, verify_resume
    from garage_like.audit.run_diff import RunDiff, diff_runs

_HOMES = {
    "Audit": "garage_like.audit.resume_audit",
    "AuditError": "garage_like.audit.resume_audit",
    "RunDiff": "garage_like.audit.run_diff",
    "diff_runs": "garage_like.audit.run_diff",
    "verify_resume": "garage_like.audit.resume_audit",
}

__all__ = ["Audit", "AuditError", "RunDiff", "diff_runs", "verify_resume"]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like.audit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
