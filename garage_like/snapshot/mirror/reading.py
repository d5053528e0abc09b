"""Reading from a URL: what lies there is fetched into a temporary place, and read as any other."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, TypeVar

from garage_like.errors import SnapshotError, SnapshotNotFoundError
from garage_like.snapshot.disk import layout
from garage_like.snapshot.mirror.place import SCHEMES, Place, check_url, what_failed

Which = int | Literal["first", "last", "best"] | None
Given = TypeVar("Given", bound="str | os.PathLike[str]")

# A Path has lost one of two slashes.
_URL = re.compile(rf"({'|'.join(SCHEMES)}):(/+)(.+)")
_PREFIX = "garage_like-"
_COPY = re.compile(rf"/[^\s:]*/{_PREFIX}\w+/({'|'.join(SCHEMES)}):/")


def url_in(path: str | os.PathLike[str]) -> str | None:
    """Return the URL that is meant; None if it is a path of this machine."""
    found = _URL.fullmatch(os.fspath(path))
    if found is None:
        return None
    scheme, _, rest = found.groups()
    return check_url(f"{scheme}://{'/' if scheme == 'file' else ''}{rest}")


def here(path: Given, which: Which = None) -> Given | Path:
    """Return a path of this machine: the given one, or of what a URL holds, fetched.

    Args:
        path: a path, or the URL of a mirror.
        which: the one snapshot that is wanted; None: all that there are.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot, or the URL cannot be reached.
        SnapshotCorruptError: if what comes is not what was sent.
        ValueError: if the URL is none.
        ModuleNotFoundError: if the library that reaches it is not installed.
    """
    url = url_in(path)
    return path if url is None else _fetched(url, _temporary(url), which)


def by_url(text: str) -> str:
    """Return a text in which copies of what URLs hold are called by these URLs."""
    return _COPY.sub(lambda m: f"{m[1]}://{'/' if m[1] == 'file' else ''}", text)


def runs_here(root: Given) -> Given | Path:
    """Return a folder of this machine: the given one, or of the descriptions of runs below a URL.

    What snapshots consist of stays where it is.
    """
    url = url_in(root)
    if url is None:
        return root
    from garage_like.snapshot.mirror.fetching import fetch_all, mirrored
    from garage_like.snapshot.mirror.heads import FOLDER

    folder = _temporary(url)
    folder.mkdir(parents=True)
    with reached(url):
        keys = map(PurePosixPath, Place(url).keys(""))
        for found in sorted({key.parent.parent for key in keys if key.parent.name == FOLDER}):
            place = Place(f"{url}/{found}" if found.name else url)
            if mirrored(place):  # else it has not saved yet
                fetch_all(place, folder / found, is_light=True)
    return folder


def _fetched(url: str, run_dir: Path, which: Which) -> Path:
    # Loads NumPy, which reading here does without.
    from garage_like.snapshot.mirror.fetching import fetch_all, mirrored

    with reached(url):
        place = Place(url)
        if not mirrored(place):
            raise SnapshotNotFoundError(f"{url}: no snapshot found there")
        fetch_all(place, run_dir, which)
    return run_dir


@contextlib.contextmanager
def reached(url: str) -> Iterator[None]:
    """Say of what the store's library raises which URL could not be reached."""
    try:
        yield
    except (SnapshotError, FileExistsError):
        raise
    except Exception as error:
        raise SnapshotNotFoundError(f"{url} cannot be reached: {what_failed(error)}") from error


def _temporary(url: str) -> Path:
    """Return where a URL's copy goes, which ends with the URL."""
    folder = tempfile.mkdtemp(prefix=_PREFIX)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / url


def resumed_here(url: str) -> Path:
    """Fetch the newest snapshot of a mirror to where a run of its name lies, to go on with.

    Raises:
        FileExistsError: if a run lies there.
    """
    run_dir = Path("data/local/experiment") / Path(url).name
    if layout.epochs_in(run_dir / layout.SNAPSHOTS):
        raise FileExistsError(
            f"{run_dir} holds snapshots already; go on with those, or `garage-like pull` {url} to"
            " another directory"
        )
    return _fetched(url, run_dir, "last")
