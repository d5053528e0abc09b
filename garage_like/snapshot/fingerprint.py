"""What bits depend on besides the state: versions, threads, flags, processor."""

import functools
import os
import platform
import sys
from typing import Any

from garage_like.configuration.computed_by import COMPUTED_BY

_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "MKL_CBWR",
)


def take_fingerprint() -> dict[str, Any]:
    """Return the versions of loaded libraries, thread counts, flags and the processor."""
    from garage_like import __version__
    from garage_like.snapshot.kinds.registry import KINDS  # what only compares loads no NumPy

    kinds = list(KINDS)
    packages = [name for kind in kinds for name in kind.versions if name in sys.modules]
    variables = [*_VARIABLES, *(name for kind in kinds for name in kind.variables)]
    flags = {kind.name: kind.fingerprint() for kind in KINDS.loaded()}
    flags["computed_by"] = {work: who() for work, who in COMPUTED_BY.items()}
    return {
        "versions": {
            "garage_like": __version__,
            "python": platform.python_version(),
            **{
                name: str(getattr(sys.modules[name], "__version__", "unknown")) for name in packages
            },
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "environment": {name: os.environ[name] for name in variables if name in os.environ},
        **{name: found for name, found in flags.items() if found},
    }


@functools.lru_cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


def differences(saved: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Return what differs between two fingerprints, a phrase each, such as `numpy: 2.3 → 2.4`.

    A library that was not loaded on one side does not count: it is loaded when it is needed.
    """
    found = []
    for key in sorted({*saved, *now}):
        name = f"{prefix}{key}"
        ours, theirs = saved.get(key), now.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            found += differences(ours, theirs, f"{name}.")
        elif (
            (prefix == "versions." and (ours is None or theirs is None))
            or isinstance(ours, dict)
            or isinstance(theirs, dict)
        ):
            continue
        elif ours != theirs:
            found.append(f"{name}: {_shown(ours)} → {_shown(theirs)}")
    return found


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)
