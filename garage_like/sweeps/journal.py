"""Journal: what a sweep has decided, written before it is acted on, and never decided again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from garage_like.files.run_files import find_json
from garage_like.logging.log_files import replace_content

FILE = "decisions.json"


class Journal:
    """Keep the decisions of a sweep, by their names.

    Args:
        directory: of the sweep.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._writing = threading.Lock()
        self.decisions: dict[str, Any] = {}
        self.read()

    def read(self) -> None:
        """Read what is written down; another process may have decided meanwhile."""
        self.decisions = find_json(self._path) or {}

    def decided(self, name: str, decide: Callable[[], Any]) -> Any:
        """Return a decision: as it was written down, or as it is now, and written down."""
        with self._writing:
            if name not in self.decisions:
                # Read back, since what goes on after a kill has it from the file, too.
                self.decisions[name] = json.loads(json.dumps(decide()))
                replace_content(self._path, as_json(self.decisions))
        return self.decisions[name]


def as_json(content: Any) -> bytes:
    """Return the content of a file of a sweep."""
    return (json.dumps(content, indent=2) + "\n").encode()
