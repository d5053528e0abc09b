"""The code that a run was started with, and what was edited since.

Files: `sources.json` in the run directory: the launcher's text, and a digest of each module that
was imported from its folder.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from garage_like.files.run_files import SOURCES, find_json
from garage_like.logging.log_files import record_json

MAX_BYTES = 1 << 20
MAX_MODULES = 1000


def record_sources(run_dir: Path) -> None:
    """Write down the code that this process runs; a full disk does not end the run."""
    launcher = _launcher()
    if launcher is None:
        return
    content = {
        "launcher": str(launcher),
        "text": _text(launcher),
        "modules": {str(path): _digest(path) for path in _modules_beside(launcher)},
    }
    with contextlib.suppress(OSError):
        record_json(run_dir / SOURCES, content)


def edited_sources(run_dir: Path) -> Iterator[tuple[bool, str]]:
    """Yield each file of a run's code that is not as it was: whether it is the launcher, and how.

    Files that are gone are passed over: the run may have moved to another machine.
    """
    recorded = find_json(run_dir / SOURCES) or {}
    launcher, before = recorded.get("launcher"), recorded.get("text")
    if isinstance(launcher, str) and isinstance(before, str):
        now = _text(Path(launcher))
        if now is not None and now != before:
            yield True, f"{launcher} ({_summary(before, now)})"
    modules = recorded.get("modules")
    for name, digest in modules.items() if isinstance(modules, dict) else ():
        found = _digest(Path(name))
        if found is not None and digest is not None and found != digest:
            yield False, name


def _summary(before: str, now: str) -> str:
    """Say how many lines were added and removed, and which was the first."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), now.splitlines(), autojunk=False)
    edits = [edit for edit in matcher.get_opcodes() if edit[0] != "equal"]
    removed = sum(stop - start for _, start, stop, _, _ in edits)
    added = sum(stop - start for _, _, _, start, stop in edits)
    return f"+{added} -{removed} lines, from line {edits[0][3] + 1 if edits else 1} on"


def _launcher() -> Path | None:
    file: Any = getattr(sys.modules.get("__main__"), "__file__", None)
    return None if file is None else Path(file).resolve()


def _modules_beside(launcher: Path) -> list[Path]:
    """Return the files of modules that were imported from the launcher's folder."""
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py"):
            path = Path(file).resolve()
            if path != launcher and path.is_relative_to(launcher.parent) and _is_own(path):
                found.add(path)
    return sorted(found)[:MAX_MODULES]


def _is_own(path: Path) -> bool:
    return "site-packages" not in path.parts


def _text(path: Path) -> str | None:
    content = _content(path)
    return None if content is None else content.decode("utf-8", errors="replace")


def _digest(path: Path) -> str | None:
    content = _content(path)
    return None if content is None else hashlib.sha256(content).hexdigest()[:16]


def _content(path: Path) -> bytes | None:
    """Return what a source file holds; None if there is none, or it is no source by its size."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None
