"""numba: functions that it compiled hold no state."""

from __future__ import annotations

from garage_like.snapshot.kinds.attributes import PartsFunction
from garage_like.snapshot.kinds.kind import Kind, no_parts


class NumbaKind(Kind):
    """Compiled functions, which pickle saves by what they were compiled from."""

    name = "numba"
    modules = ("numba", "llvmlite")
    versions = ("numba",)

    def claims(self, cls: type) -> bool:
        return cls.__module__.partition(".")[0] in self.modules

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return no_parts
