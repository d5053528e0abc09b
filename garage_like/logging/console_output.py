"""ConsoleOutput: what a user watches while an experiment runs."""

from __future__ import annotations

import sys
import time
from typing import Any

from garage_like.logging.light_imports import StdOutput
from garage_like.logging.text_output import stamped, table_text


class ConsoleOutput(StdOutput):
    """Print time-stamped messages, and tables, to standard output."""

    def record(self, data: Any, prefix: str = "") -> None:
        """Print a message, stamped with the time, or a table."""
        if isinstance(data, str):
            print(stamped(prefix + data, time.time()))
        else:
            print(table_text(data.as_primitive_dict))
            data.mark_str()
        sys.stdout.flush()
