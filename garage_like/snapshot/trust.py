"""Whether this user wrote a snapshot: restoring one runs code that it brings along.

A snapshot is this user's own if its directory, its manifest and its objects belong to the user who
runs the process, and the manifest names that user as its writer or names nobody. Anything else is
restored only where the caller says `trust=True` (`--trust`).

The owner of a file holds on shared file systems, where one user's name may have several numbers and
the numbers in a file from elsewhere mean nothing: what counts is whom the system says a file
belongs to here. The name in the manifest catches what was unpacked from an archive, which belongs
to whoever unpacked it. This guards against a mistake and not against a forger, who can write any
name: do not unpack and restore what you would not run.

A job that comes back under another user's number can be told once and for all, by setting
GARAGE_LIKE_TRUST to 1 in its environment.
"""

from __future__ import annotations

import os
from pathlib import Path

from garage_like.errors import SnapshotUntrustedError
from garage_like.files.run_files import EXPERIMENT
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.manifest import Manifest

ENVIRONMENT_VARIABLE = "GARAGE_LIKE_TRUST"


def user_name() -> str:
    """Return the name of the user who runs this process, or the number if it has no name."""
    if not hasattr(os, "geteuid"):
        return ""
    return _name_of(os.geteuid())


def check_trust(
    snapshot: Path, manifest: Manifest, trust: bool = False, seen: str | None = None
) -> None:
    """Raise unless this user wrote a snapshot, or says that it may be trusted.

    Args:
        snapshot: its directory.
        manifest: of the snapshot.
        trust: what the caller says.
        seen: what `why_untrusted` said when the snapshot was read: the path may lead elsewhere now.

    Raises:
        SnapshotUntrustedError: if it is another's; says how that was seen.
    """
    if trust or os.environ.get(ENVIRONMENT_VARIABLE) == "1":
        return
    why = seen or why_untrusted(snapshot, manifest)
    if why is not None:
        raise SnapshotUntrustedError(
            f"{snapshot}: restoring runs code that the snapshot brings along, and {why}. Look at it"
            " with `garage-like show`, which runs none; if you trust who wrote it, pass trust=True,"
            " or --trust on the command line"
        )


def why_untrusted(snapshot: Path, manifest: Manifest) -> str | None:
    """Return how one sees that another user wrote a snapshot, or None if this one did."""
    experiment = snapshot.parent.parent / EXPERIMENT
    for path in (snapshot, snapshot / layout.MANIFEST, snapshot / layout.OBJECTS, experiment):
        owner = _owner_of(path)
        if owner is not None and owner != os.geteuid():
            return f"{path} belongs to {_name_of(owner)}, not to {user_name()}"
    if manifest.written_by not in ("", user_name()):
        return f"it was written by {manifest.written_by!r}, not by {user_name()!r}"
    return None


def _owner_of(path: Path) -> int | None:
    """Return whose a file is; None if that is not known."""
    if not hasattr(os, "geteuid"):
        return None
    try:
        return path.stat().st_uid
    except OSError:
        return None


def _name_of(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
