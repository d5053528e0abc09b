"""Where tensors of torch are built: on the device they were saved from, or all on the CPU."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

_on_cpu: contextvars.ContextVar[bool] = contextvars.ContextVar("on_cpu", default=False)


@contextlib.contextmanager
def building_on_cpu() -> Iterator[None]:
    """Build every tensor on the CPU, wherever it was saved."""
    token = _on_cpu.set(True)
    try:
        yield
    finally:
        _on_cpu.reset(token)


def device_for(saved: str) -> str:
    """Return where to build what was saved from a device."""
    return "cpu" if _on_cpu.get() else saved
