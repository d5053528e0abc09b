"""Place: objects below a URL, by key. All that is asked of a store."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from garage_like.errors import install_hint
from garage_like.logging.log_files import make_directory

SCHEMES = ("s3", "gs", "az", "file", "memory")
_HINT = f"it needs {install_hint('remote')}"


class AlreadyThereError(Exception):
    """Raise when an object was to be created, and is there."""


class NotThereError(Exception):
    """Raise when there is no object of a key."""


def check_url(url: Any) -> str:
    """Return a URL if it can be a place.

    Raises:
        ValueError: if it is none, or holds a password: those are the store's library's to find.
        ModuleNotFoundError: if the library that reaches it is not installed.
    """
    scheme, separator, rest = str(url).partition("://")
    if not isinstance(url, str) or not separator or scheme not in SCHEMES or not rest.strip("/"):
        known = ", ".join(f"{name}://…" for name in SCHEMES[:-1])
        raise ValueError(f"mirror must be a URL ({known}), got {url!r}")
    if "@" in rest.partition("/")[0]:
        raise ValueError(
            "mirror must not hold a user's name or a password, since it is written down with the"
            " run; give them in the environment (AWS_ACCESS_KEY_ID …)"
        )
    try:
        import obstore  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"mirror={url!r}: {_HINT}") from error
    return url.rstrip("/")


class Place:
    """Reach the objects below a URL.

    Args:
        url: `s3://bucket/folder`, `gs://…`, `az://…` or `file:///folder`; `memory://name` is
            this process's own, to try things with.

    Attributes:
        url: as given.
        num_sent: bytes sent so far.
    """

    def __init__(self, url: str) -> None:
        import obstore
        import obstore.exceptions
        from obstore.store import from_url

        self.url = url
        self.num_sent = 0
        self._obstore = obstore
        self._already = obstore.exceptions.AlreadyExistsError
        self._folder: Path | None = None
        self._store: Any = None
        if url.startswith("file://"):
            self._folder = Path(url.removeprefix("file://"))
        elif url.startswith("memory://"):
            self._store = _in_memory(url)
        else:
            self._store = from_url(url)

    def _reading(self) -> Any:
        """Return the store to read from; None while a folder of this machine is not there."""
        if self._store is None and self._folder is not None:
            try:
                os.stat(self._folder)
            except FileNotFoundError:
                return None
            self._store = _of_this_machine(self._folder)
        return self._store

    def _writing(self) -> Any:
        if self._folder is not None and self._reading() is None:
            make_directory(self._folder)
        return self._reading()

    def get(self, key: str) -> bytes:
        """Return an object's content.

        Raises:
            NotThereError: if there is none.
        """
        store = self._reading()
        if store is None:
            raise NotThereError(f"{self.url}/{key}")
        try:
            return bytes(self._obstore.get(store, key).bytes())
        except FileNotFoundError as error:
            raise NotThereError(f"{self.url}/{key}") from error

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self._obstore.put(self._writing(), key, content)
        self.num_sent += len(content)

    def create(self, key: str, content: bytes) -> None:
        """Write an object that is not there yet.

        Raises:
            AlreadyThereError: if it is.
        """
        try:
            self._obstore.put(self._writing(), key, content, mode="create")
        except self._already as error:
            raise AlreadyThereError(f"{self.url}/{key}") from error

    def keys(self, folder: str) -> list[str]:
        """Return the keys below a folder."""
        store = self._reading()
        pages = () if store is None else self._obstore.list(store, prefix=folder)
        return [str(found["path"]) for page in pages for found in page]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone do not matter."""
        store = self._reading()
        for key in keys if store is not None else ():
            try:
                self._obstore.delete(store, key)
            except FileNotFoundError:
                continue


def _of_this_machine(folder: Path) -> Any:
    from obstore.store import LocalStore

    return LocalStore(os.fspath(folder))


@functools.cache
def _in_memory(url: str) -> Any:
    from obstore.store import MemoryStore

    return MemoryStore()


def what_failed(error: Exception) -> str:
    """Return in one line what the store's library says, without what it says to its own authors."""
    said = " ".join(str(error).partition("Debug source:")[0].split())[:500]
    return said or type(error).__name__
