"""What a mirror holds becomes a run directory again."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from garage_like.errors import SnapshotCorruptError, SnapshotError, SnapshotNotFoundError
from garage_like.files.opening import leads_out
from garage_like.logging.log_files import make_directory
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import FileEntry, digest_of
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.mirror.heads import newest_head
from garage_like.snapshot.mirror.lease import claim, show_life
from garage_like.snapshot.mirror.place import NotThereError, Place, what_failed
from garage_like.snapshot.mirror.sending import OF_RUN, RUN_FILES

Which = int | Literal["first", "last", "best"] | None
_THREADS = 8
_TRIES = 20


def mirrored(place: Place) -> dict[str, str]:
    """Return the key of each snapshot's index that a place holds, by the snapshot's name."""
    head, _ = newest_head(place)
    return {} if head is None else dict(sorted(head.epochs.items()))


def fetch(place: Place, run_dir: Path, which: Which = "last") -> Path:
    """Make a run directory of what a place holds; the snapshot is there whole or not at all.

    Args:
        place: to read.
        run_dir: to make; it must hold no snapshots.
        which: `'last'`, `'first'`, or an epoch.

    Returns:
        The directory of the snapshot.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot.
        SnapshotCorruptError: if what comes is not what was sent.
        FileExistsError: if the directory holds snapshots.
    """
    return fetch_all(place, run_dir, which)[-1]


def fetch_all(
    place: Place, run_dir: Path, which: Which = None, *, is_light: bool = False
) -> list[Path]:
    """Make a run directory of several snapshots; logs are those of the newest.

    Args:
        place: as in `fetch`.
        run_dir: as in `fetch`.
        which: as in `fetch`; `'best'` and None: all.
        is_light: whether their manifests are enough.
    """
    if layout.epochs_in(run_dir / layout.SNAPSHOTS):
        raise FileExistsError(f"{run_dir} holds snapshots already; choose another directory")
    for _ in range(_TRIES):
        names = mirrored(place)
        wanted = list(names)
        if which in ("first", "last"):
            wanted = wanted[:1] if which == "first" else wanted[-1:]
        elif isinstance(which, int):
            wanted = [layout.epoch_name(which)]
        missing = [n for n in wanted if n not in names or layout.parse_epoch(n) is None]
        if missing or not wanted:
            listed = ", ".join(names) or "none"
            asked = missing[0] if missing else which
            raise SnapshotNotFoundError(f"{place.url}: no snapshot {asked!r}; there are: {listed}")
        try:
            return [
                _Fetch(place, json.loads(place.get(names[name])), names[name]).into(
                    run_dir, name, is_light=is_light
                )
                for name in wanted
            ]
        except NotThereError:  # a run under way has newer ones
            shutil.rmtree(run_dir / layout.SNAPSHOTS, ignore_errors=True)
    raise SnapshotNotFoundError(f"{place.url}: no snapshot stayed long enough to be read")


def fetch_what_is_lost(config: SnapshotConfig) -> Path | None:
    """Bring a run back whose directory is lost, if it is to be continued and a mirror holds it.

    Whoever wrote to the mirror is fenced off first, so that nothing newer comes after what is read.

    Returns:
        The directory of the snapshot; None if there is nothing to bring.

    Raises:
        FencedError: if another process lives, and writes there.
        SnapshotNotFoundError: if the mirror cannot be reached: whether there is a run to continue
            is not known then, and starting over would be wrong.
    """
    here = config.run_dir / layout.SNAPSHOTS
    if config.mirror is None or not config.auto_resume or layout.epochs_in(here):
        return None
    try:
        place = Place(config.mirror)
        if not mirrored(place):
            return None
        head, _ = claim(place)
        show_life(place, head.token)  # until the run that goes on does so itself
        return fetch(place, config.run_dir)
    except SnapshotError:
        raise
    except Exception as error:
        raise SnapshotNotFoundError(
            f"{config.mirror} cannot be reached, so whether it holds a run to continue is not"
            f" known: {what_failed(error)}; mend that, or leave mirror out"
        ) from error


class _Fetch:
    """Get the pieces of one snapshot."""

    def __init__(self, place: Place, index: Mapping[str, Any], key: str) -> None:
        self._place, self._index, self._key = place, index, key

    def into(self, run_dir: Path, name: str, *, is_light: bool = False) -> Path:
        """Write logs and run files, then the snapshot, under its name at last.

        Args:
            run_dir: where to.
            name: of the snapshot.
            is_light: whether its manifest is enough.
        """
        snapshots = run_dir / layout.SNAPSHOTS
        layout.refuse_link(snapshots)
        partial = snapshots / f"{layout.SAVING}{name}-{uuid.uuid4().hex[:8]}"
        text = str(self._index["manifest"]).encode()
        manifest = Manifest.from_bytes(text, Path(self._key))
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="mirror") as pool:
            entries = {} if is_light else manifest.files
            make_directory(partial)
            contents = pool.map(lambda e: self._get(f"{e.digest}-{e.bytes}", e), entries.values())
            for path, content in zip(entries, contents, strict=True):
                (partial / path).parent.mkdir(parents=True, exist_ok=True)
                (partial / path).write_bytes(content)
        for log, size in manifest.logs.items():
            pieces = self._index["logs"].get(log, [])
            self._write(run_dir, log, b"".join(map(self._get, pieces))[:size])
        for file, digest in self._index["files"].items():
            if file in (*RUN_FILES, OF_RUN):
                self._write(run_dir, file, self._get(digest))
        (partial / layout.MANIFEST).write_bytes(text)
        target = snapshots / name
        partial.rename(target)
        return target

    def _get(self, digest: str, entry: FileEntry | None = None) -> bytes:
        content = self._place.get(self._index["keys"][digest])
        expected = entry or FileEntry(int(digest.rpartition("-")[2]), digest.rpartition("-")[0])
        if digest_of([content], expected.algorithm) != expected:
            raise SnapshotCorruptError(f"{self._place.url}: {digest} is not what was sent")
        return content

    @staticmethod
    def _write(run_dir: Path, name: str, content: bytes) -> None:
        if leads_out(name) or "/" in name:
            raise SnapshotCorruptError(f"file name {name!r} leads out of the run directory")
        (run_dir / name).write_bytes(content)
