"""Say which version of the gradient steps in C an installed wheel has; fail if it has none."""

import ctypes
import sysconfig
from pathlib import Path

folder = Path(sysconfig.get_path("platlib"), "garage_like", "torch", "kernels", "compiled")
(path,) = folder.glob("_steps*.so")
print(f"{path.name}: version {ctypes.CDLL(str(path)).steps_version()}")
