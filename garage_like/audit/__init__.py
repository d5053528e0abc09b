"""Do two runs agree, bit for bit? The determinism auditor, and the comparison of runs on disk.

`verify_resume` runs a script straight, and killed and resumed after each epoch, and compares the
state at every safe point. `diff_runs` compares what two runs left on the disk, as data alone.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.audit.resume_audit import Audit as Audit
    from garage_like.audit.resume_audit import AuditError as AuditError
    from garage_like.audit.resume_audit import verify_resume as verify_resume
    from garage_like.audit.run_diff import RunDiff as RunDiff
    from garage_like.audit.run_diff import diff_runs as diff_runs

__getattr__, __dir__, __all__ = lazy.names(__name__)
