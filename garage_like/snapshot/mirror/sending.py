"""Sender: one run's snapshots go to a place, what is new of each, once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from garage_like.files.run_files import CONFIGURATION, EXPERIMENT, METADATA, PROGRESS, VARIANT
from garage_like.logging.csv_table import content_at
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import FileEntry, file_digest_of, read_file
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.mirror.heads import Head, create_next
from garage_like.snapshot.mirror.lease import claim
from garage_like.snapshot.mirror.place import Place

BLOCK = 64 << 10
"""Logs go in pieces of so many bytes, of which only the last changes."""

RUN_FILES = (VARIANT, METADATA, EXPERIMENT, CONFIGURATION)
OF_RUN = ".mirror"
_THREADS = 8


class Sender:
    """Write one run's snapshots to a place, from one process at a time.

    Args:
        place: where to.
        run_dir: the run directory.
    """

    def __init__(self, place: Place, run_dir: Path) -> None:
        self._place, self._run_dir = place, run_dir
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mirror")
        self._head: Head | None = None
        self._number = 0
        self._keys: dict[str, dict[str, str]] = {}  # of each snapshot: content's keys, by digest
        self._there: set[str] = set()  # every key that lies there, as far as is known

    @property
    def names(self) -> list[str]:
        """Names of the snapshots that are there, in order."""
        return sorted(self._head.epochs) if self._head is not None else []

    def take_over(self) -> None:
        """Become the writer; whoever was is fenced off.

        Raises:
            FencedError: if another process lives, and writes there.
            OtherRunError: if the place holds another run.
        """
        self._head, self._number = claim(self._place, run_name(self._run_dir))
        epochs = self._head.epochs
        self._keys = {
            key: dict(json.loads(self._place.get(key))["keys"]) for key in epochs.values()
        }
        self._there = {*self._place.keys("data"), *self._place.keys("index")}

    @property
    def token(self) -> int:
        """What the writer's folders are called; 0 before it has become one."""
        return 0 if self._head is None else self._head.token

    def _advance(self, head: Head) -> None:
        self._number, self._head = create_next(self._place, head, self._number), head

    def send(self, name: str, keep: Iterable[str]) -> None:
        """Send a snapshot of the run and its logs up to then; forget those that are not kept.

        Args:
            name: of its directory.
            keep: names of those that stay beside it.

        Raises:
            FencedError: if another process has taken the place over.
            FileNotFoundError: if the snapshot was pruned before it could be held.
        """
        with _held(self._run_dir / layout.SNAPSHOTS, name) as snapshot:
            manifest = Manifest.read(snapshot)
            contents = {_digest(entry): (path, entry) for path, entry in manifest.files.items()}
            wanted: dict[str, bytes | tuple[str, FileEntry]] = dict(contents)
            logs = {log: self._pieces(log, size, wanted) for log, size in manifest.logs.items()}
            files = {
                file: self._piece((self._run_dir / file).read_bytes(), wanted)
                for file in (*RUN_FILES, OF_RUN)
                if (self._run_dir / file).is_file()
            }
            known = {digest: key for keys in self._keys.values() for digest, key in keys.items()}
            new = [digest for digest in wanted if digest not in known]
            assert self._head is not None
            folder = f"data/{self._head.token}"
            known |= {digest: f"{folder}/{digest}" for digest in new}
            self._there |= {known[digest] for digest in new}

            def put(digest: str) -> None:
                content = wanted[digest]
                if not isinstance(content, bytes):  # checked: what rotted is not sent
                    content = bytes(read_file(snapshot, *content))
                self._place.put(known[digest], content)

            list(self._pool.map(put, new))
            text = (snapshot / layout.MANIFEST).read_text("ascii")
        keys = {digest: known[digest] for digest in wanted}
        index = {"manifest": text, "logs": logs, "files": files, "keys": keys}
        key = f"index/{self._head.token}/{name}-{uuid.uuid4().hex[:8]}.json"
        self._there.add(key)
        self._place.put(key, json.dumps(index).encode())
        epochs = {n: k for n, k in self._head.epochs.items() if n in set(keep)} | {name: key}
        self._advance(replace(self._head, epochs=epochs))
        self._keys = {k: v for k, v in {**self._keys, key: keys}.items() if k in epochs.values()}
        self._forget()

    def _piece(self, content: bytes, wanted: dict[str, bytes | tuple[str, FileEntry]]) -> str:
        digest = _digest(file_digest_of([content]))
        wanted[digest] = content
        return digest

    def _pieces(
        self, log: str, size: int, wanted: dict[str, bytes | tuple[str, FileEntry]]
    ) -> list[str]:
        """Return the digests of a log's blocks, as it was when the snapshot was taken."""
        content = (self._run_dir / log).read_bytes()
        whole = content_at(content, size) if log == PROGRESS else content[:size]
        text = b"" if whole is None else whole
        return [
            self._piece(text[start : start + BLOCK], wanted) for start in range(0, len(text), BLOCK)
        ]

    def _forget(self) -> None:
        """Delete what no snapshot names, now that the head says so."""
        named = {key for keys in self._keys.values() for key in keys.values()} | set(self._keys)
        self._place.delete(sorted(self._there - named))
        self._there &= named

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()


def run_name(run_dir: Path) -> str:
    """Return what tells a run from any other; it stands in the run directory, and goes along."""
    path = run_dir / OF_RUN
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("ascii").strip()
    with contextlib.suppress(FileExistsError), path.open("x", encoding="ascii") as file:
        file.write(uuid.uuid4().hex)
    return path.read_text("ascii").strip()


def _digest(entry: FileEntry) -> str:
    return f"{entry.digest}-{entry.bytes}"


@contextlib.contextmanager
def _held(snapshots: Path, name: str) -> Iterator[Path]:
    """Hold a snapshot by hard links: pruning is quicker than a slow link. Swept if we die."""
    held = snapshots / f"{layout.SAVING}mirror-{name}-{uuid.uuid4().hex[:8]}"
    try:
        _link_all(snapshots / name, held)
        yield held
    finally:
        shutil.rmtree(held, ignore_errors=True)


def _link_all(source: Path, target: Path) -> None:
    """Link a folder's files; unlike `shutil.copytree`, raise the error that came."""
    target.mkdir()
    for path in source.iterdir():
        (_link_all if path.is_dir() else _link)(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a disk without hard links
        shutil.copyfile(source, target)
