"""What `hf download` and huggingface_hub left on the disk, found by a repository's name or folder.

~/.cache/huggingface/hub/models--sb3--ppo-CartPole-v1/
    refs/main               the commit that `main` stood for
    snapshots/COMMIT/       its files: links to ../../blobs/
"""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

_FOLDER = "models--"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_KINDS = (".zip", ".pt", ".pth", ".safetensors", ".npz", ".cleanrl_model")
# Beside the agent that a repository is about, as its library names it.
_CHOSEN = ("agent.pt", "best_agent.pt")


def cache_dir() -> Path:
    """Return the folder of the Hub's cache, as huggingface_hub finds it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    home = Path(os.environ.get("HF_HOME") or caches / "huggingface").expanduser()
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()


def files_of(source: Path) -> Path:
    """Return the folder with a repository's files if a path names one; otherwise the path.

    Args:
        source: ORG/NAME, a folder `models--ORG--NAME` of the cache, or any other path.

    Raises:
        FileNotFoundError: if the repository is not in the cache; says how to get it.
        ValueError: if nothing tells which of its commits is meant.
    """
    if not source.exists() and _REPO.fullmatch(source.as_posix()):
        folder = cache_dir() / f"{_FOLDER}{source.as_posix().replace('/', '--')}"
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{source}: no such checkpoint, and no such repository in {cache_dir()}; to get one"
                f" from the Hugging Face Hub: hf download {source}"
            )
        source = folder
    if not source.name.startswith(_FOLDER) or not (source / "snapshots").is_dir():
        return source
    commits = [path for path in (source / "snapshots").iterdir() if path.is_dir()]
    main = source / "refs" / "main"
    said = main.read_text().strip() if main.is_file() else ""
    found = [path for path in commits if path.name == said] or commits
    if len(found) != 1:
        names = ", ".join(sorted(path.name for path in found)) or "none"
        raise ValueError(f"{source}: expected one commit, or refs/main; there are {names}")
    return found[0]


def is_files_of_a_repository(folder: Path) -> bool:
    """Tell whether a folder is a commit in the cache."""
    parents = folder.absolute().parents
    return bool(_COMMIT.fullmatch(folder.name)) and parents[1].name.startswith(_FOLDER)


def checkpoint_in(folder: Path) -> Path:
    """Return the one checkpoint among a repository's files.

    Raises:
        ValueError: if there is none, or several; lists them.
    """
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in _KINDS and _is_one(path)]
    chosen = [path for path in found if path.name in _CHOSEN] or found
    if len(chosen) != 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in chosen) or "none"
        raise ValueError(
            f"{folder}: expected one checkpoint; name it by its path; there are {names}"
        )
    return chosen[0]


def _is_one(path: Path) -> bool:
    """Whether a file is more than a part of another: SB3 unpacks its zip beside it."""
    parts = {"policy.pth", "policy.optimizer.pth", "pytorch_variables.pth"}
    if path.suffix == ".zip":
        return zipfile.is_zipfile(path)
    return path.is_file() and path.name not in parts
