"""Whether there is a screen to open a window on."""

from __future__ import annotations

import os
import sys


def has_screen() -> bool:
    """Tell whether windows can be opened, as far as the system says.

    Without one, GLFW, by which MuJoCo draws, ends the whole process.
    """
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return not sys.platform.startswith("linux") or any(map(os.environ.get, names))
