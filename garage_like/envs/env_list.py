"""EnvList: an environment and copies of it, alike in all but their numbers."""

from __future__ import annotations

from typing import Any

from garage_like.interfaces import Environment


class EnvList(list[Environment]):
    """List an environment, which others may refer to, and copies, which nobody else does.

    So a snapshot may keep the copies as a few arrays, one for each attribute, instead of object by
    object.

    Attributes:
        columns: how the snapshot before kept the copies, to compare with; None if it did not.
    """

    columns: Any = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what pickle needs to make it again."""
        return EnvList, (), None, iter(self)
