"""The command line, `garage-like`: parsing and printing only.

`ls`, `show` and `verify` read JSON and digests, and load no framework; `resume` loads what the run
needs. Each command is a module of its own, imported when it is called for.
"""

from garage_like.cli.command_line import main

__all__ = ["main"]
