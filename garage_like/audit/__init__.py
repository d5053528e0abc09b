"""Do two runs agree, bit for bit?

`verify_resume` runs a script straight, and killed and resumed after each epoch, and compares the
state at every safe point.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.audit.resume_audit import Audit, AuditError, verify_resume

_HOMES = {
    "Audit": "garage_like.audit.resume_audit",
    "AuditError": "garage_like.audit.resume_audit",
    "verify_resume": "garage_like.audit.resume_audit",
}

__all__ = ["Audit", "AuditError", "verify_resume"]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like.audit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
