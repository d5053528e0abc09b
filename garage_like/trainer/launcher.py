"""Launcher: the script that started this process, the repository it lies in, and the machine.

Files: `metadata.json` is written from what `metadata` returns; `launch_archive.tar.xz` holds the
repository's files, tracked or not, unless git ignores them.
"""

from __future__ import annotations

import datetime
import os
import platform
import socket
import subprocess
import sys
import tarfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import garage_like

MAX_ARCHIVE_BYTES = 20 * 2**20
_GIT_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Launcher:
    """The script that started this process.

    Attributes:
        path: the file, or None in an interactive session.
        git_root: of the repository that it lies in, or None.
    """

    path: Path | None
    git_root: Path | None

    @classmethod
    def find(cls) -> Launcher:
        """Find the script, and its repository; without one, the current directory's."""
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        path = None if file is None else Path(file).resolve()
        found = _git("rev-parse", "--show-toplevel", cwd=path.parent if path else Path.cwd())
        return cls(path, Path(found.rstrip("\n")) if found else None)

    @property
    def directory(self) -> Path:
        """The folder of the script, or the current one."""
        return Path.cwd() if self.path is None else self.path.parent

    def module_paths(self) -> list[str]:
        """Folders from which this process imports modules that are not installed."""
        installed = {os.path.realpath(root) for root in (sys.prefix, sys.base_prefix)}
        # Those of a package are imported by its name, and may be called as others are: `torch`.
        own_folder = [] if (self.directory / "__init__.py").is_file() else [self.directory]
        searched = [*own_folder, *(Path(entry or ".") for entry in sys.path)]
        resolved = [str(path.resolve()) for path in searched if path.is_dir()]
        own = [
            path
            for path in resolved
            if not any(Path(path).is_relative_to(root) for root in installed)
        ]
        return list(dict.fromkeys(own))

    def metadata(self) -> dict[str, Any]:
        """Say what was started, from which state of the code, and where."""
        return {
            "launcher": None if self.path is None else str(self.path),
            "argv": sys.argv,
            "git_root": None if self.git_root is None else str(self.git_root),
            "git_commit": self._commit(),
            "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "host": socket.gethostname(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "python_executable": sys.executable,
            "garage_like": garage_like.__version__,
        }

    def _commit(self) -> str | None:
        """Return the commit's hash, with `-dirty` if files differ from it, or None."""
        if self.git_root is None:
            return None
        commit = _git("rev-parse", "--verify", "HEAD", cwd=self.git_root)
        if not commit:
            return None
        changed = _git("status", "--porcelain", cwd=self.git_root)
        return commit.strip() + ("-dirty" if changed else "")

    def archive(self, target: Path, max_bytes: int = MAX_ARCHIVE_BYTES) -> None:
        """Archive the repository's files; do nothing outside a repository.

        If they are more than `max_bytes`, the largest are left out, with a warning.
        """
        if self.git_root is None:
            return
        kept, left_out = _choose_files(self.git_root, max_bytes)
        draft = target.with_name(f".{target.name}.draft")
        draft.unlink(missing_ok=True)
        with tarfile.open(draft, "w:xz", preset=1) as archive:
            for name in kept:
                try:
                    archive.add(self.git_root / name, arcname=name, recursive=False)
                except OSError as error:
                    warnings.warn(f"launch archive: {name} left out: {error}", stacklevel=2)
        draft.replace(target)
        if left_out:
            warnings.warn(
                f"launch archive: the files of {self.git_root} have more than"
                f" {max_bytes / 2**20:.0f} MiB, so the {len(left_out)} largest are left out, among"
                f" them {left_out[-1]}; let git ignore them, or use archive_launch_repo=False",
                stacklevel=2,
            )


def _choose_files(root: Path, max_bytes: int) -> tuple[list[str], list[str]]:
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=root)
    sizes = {}
    for name in filter(None, (listed or "").split("\0")):
        path = root / name
        if path.is_symlink() or path.is_file():
            sizes[name] = path.lstat().st_size
    total = 0
    kept: list[str] = []
    left_out: list[str] = []
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        total += sizes[name]
        (kept if total <= max_bytes else left_out).append(name)
    return sorted(kept), left_out


def _git(*arguments: str, cwd: Path) -> str | None:
    """Return what git prints, or None if it fails or is not there."""
    try:
        result = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            timeout=_GIT_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(result.stdout)
