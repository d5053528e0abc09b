"""What bits depend on besides the state: versions, threads, flags, processor."""

import functools
import os
import platform
import sys
from typing import Any

_PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "tensorflow",
    "keras",
    "gymnasium",
    "mujoco",
    "cma",
    "cloudpickle",
)
_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "TF_ENABLE_ONEDNN_OPTS",
    "MKL_CBWR",
)


def take_fingerprint() -> dict[str, Any]:
    """Return the versions of loaded libraries, thread counts, flags and the processor."""
    from garage_like import __version__

    print_: dict[str, Any] = {
        "versions": {
            "garage_like": __version__,
            "python": platform.python_version(),
            **{
                name: str(getattr(sys.modules[name], "__version__", "unknown"))
                for name in _PACKAGES
                if name in sys.modules
            },
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        print_["torch"] = {
            "threads": torch.get_num_threads(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "matmul_precision": torch.get_float32_matmul_precision(),
            "default_dtype": str(torch.get_default_dtype()),
        }
    if hasattr(sys.modules.get("tensorflow"), "Variable"):
        print_["tensorflow"] = _tensorflow_flags(sys.modules["tensorflow"])
    return print_


def _tensorflow_flags(tf: Any) -> dict[str, Any]:
    """Return what TensorFlow's bits depend on; it has no public way to ask for some of it."""
    from tensorflow.python.framework import config
    from tensorflow.python.util import _pywrap_util_port

    return {
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "onednn": bool(_pywrap_util_port.IsMklEnabled()),
        "op_determinism": bool(config.is_op_determinism_enabled()),
        "tensor_float_32": bool(tf.config.experimental.tensor_float_32_execution_enabled()),
        "jit": str(tf.config.optimizer.get_jit()),
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
    """Return what differs between two fingerprints, a phrase each, such as `torch: 2.12 → 2.13`.

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
