"""The overviews of all runs below a folder, quickly: what was read before is not read again.

Files: `garage_like/runs-*.json` in the user's cache directory (`XDG_CACHE_HOME`, or `~/.cache`),
one for each folder. It is never trusted over the directories: each call walks them, and a run whose
files are not, to the nanosecond, those that were read is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from garage_like.runs.overview import Overview, overview
from garage_like.runs.walking import FoundRun, Stamp, walk_runs

_FEW = 50
"""So few runs are read as quickly as an index."""

_SETTLED_NS = 2 * 10**9
_NAMES = [field.name for field in fields(Overview)]
_PATH, _BYTES = _NAMES.index("run"), _NAMES.index("bytes")

_Index = dict[str, tuple[Stamp, list[Any]]]


def overviews(root: Path, *, sizes: bool = True) -> list[Overview]:
    """Return what is known of each run at and below a folder, by name.

    Args:
        root: the folder.
        sizes: tell what each takes on the disk, too; else 0 stands there.
    """
    found = walk_runs(root, sizes=sizes)
    index = _read_index(root) if len(found) > _FEW else {}
    result, kept, num_read = [], {}, 0
    settled = time.time_ns() - _SETTLED_NS
    for run in found:
        stamp, values = index.get(run.path, ([], []))
        if stamp and stamp == run.stamp:
            values[_PATH], values[_BYTES] = run.path, run.bytes
            one = Overview(*values)
        else:
            one, num_read = overview(Path(run.path), run), num_read + 1
        result.append(one)
        if _may_be_kept(run, one, settled):
            kept[run.path] = run.stamp, one
    if num_read > _FEW or len(index) > len(found) + _FEW:
        with contextlib.suppress(OSError, ValueError):
            _write_index(root, {path: (stamp, _plain(one)) for path, (stamp, one) in kept.items()})
    return result


def _may_be_kept(run: FoundRun, one: Overview, settled: int) -> bool:
    """Tell whether a run's files tell that it is still what it was.

    What was written a moment ago may be written again at what is one time to the disk.
    """
    newest = max((file[-4] for file in run.stamp if len(file) >= 4), default=settled)
    return one.last_epoch is not None and not one.problems and newest < settled


def _plain(one: Overview) -> list[Any]:
    return [getattr(one, name) for name in _NAMES]


def _index_path(root: Path) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    return Path(cache) / "garage_like" / f"runs-{name}.json"


def _read_index(root: Path) -> _Index:
    """Return what was read before, by path; nothing if that cannot be told."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        path = _index_path(root)
        if not hasattr(os, "geteuid") or path.stat().st_uid == os.geteuid():
            content = json.loads(path.read_bytes())
            if content["columns"] == _NAMES and content["root"] == os.fspath(root):
                runs: _Index = {key: (one[0], one[1]) for key, one in content["runs"].items()}
                if all(len(values) == len(_NAMES) for _, values in runs.values()):
                    return runs
    return {}


def _write_index(root: Path, runs: _Index) -> None:
    path = _index_path(root)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    content = {"columns": _NAMES, "root": os.fspath(root), "runs": runs}
    try:
        draft.write_text(json.dumps(content, separators=(",", ":")))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
