"""Errors that callers can act on; each subclasses the builtin one would guess."""


class NotSetupError(RuntimeError):
    """Raise when a Trainer is used before `setup` or `restore` gave it something to train."""


class SnapshotError(Exception):
    """Base of everything that goes wrong with a snapshot."""


class SnapshotNotFoundError(SnapshotError, FileNotFoundError):
    """Raise when there is no snapshot where one was asked for."""


class SnapshotCorruptError(SnapshotError, ValueError):
    """Raise when a snapshot is there but its files are not what its manifest says."""


class SnapshotMismatchError(SnapshotError, ValueError):
    """Raise when a snapshot cannot be used here: newer format, other class, other configuration."""


class SnapshotRestoreError(SnapshotMismatchError):
    """Raise when an object of a snapshot cannot be built here; names it by its path and class."""


class SnapshotUntrustedError(SnapshotError, PermissionError):
    """Raise when restoring would run another user's code, and nobody said that it may."""


class SnapshotSaveError(SnapshotError, RuntimeError):
    """Raise when the state of a run cannot be captured or written; older snapshots are intact."""


class SnapshotWriteError(SnapshotSaveError, OSError):
    """Raise when a captured state cannot be written: a full disk, say; older ones are intact."""


class DirectoryError(SnapshotError, OSError):
    """Raise when a directory or file that was asked for cannot be made; says what is in the way."""


class RunLockedError(RuntimeError):
    """Raise when another process is writing to the same run directory."""


class MigrationError(ValueError):
    """Raise when weights of another program do not fit, or could go to several places.

    Attributes:
        ambiguous: for each array that could be taken from several, their names.
        missing: arrays for which nothing fits.
    """

    def __init__(
        self,
        message: str,
        ambiguous: dict[str, list[str]] | None = None,
        missing: list[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous or {}
        self.missing = missing or []


class HubError(RuntimeError):
    """Raise when the Hugging Face Hub cannot be reached, refuses, or has no run of ours."""


ON_AN_INDEX = False
"""Whether a release is on a package index. The one place to change then; docs say the same."""


def install_command(*extras: str) -> str:
    """Return what installs garage_like with extras, as a shell takes it.

    Where no release is on an index it is meant for a clone of the repository.
    """
    return f"pip install '{'garage-like' if ON_AN_INDEX else '.'}[{','.join(extras)}]'"


def install_hint(*extras: str) -> str:
    """Return the command and, while it needs one, the place where it is given."""
    place = "" if ON_AN_INDEX else " in a clone of garage_like's repository"
    return f"{install_command(*extras)}{place}"
