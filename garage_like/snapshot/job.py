"""Job: a capture on its way to the disk, and what is told of those that have got there or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from garage_like.errors import SnapshotWriteError
from garage_like.snapshot.best_rule import BestRule
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.staging import Staging
from garage_like.snapshot.trust import user_name

if TYPE_CHECKING:
    from garage_like.snapshot.capture import Capture


@dataclass(frozen=True)
class Job:
    """A capture on its way to the disk."""

    manifest: Manifest
    captured: Capture
    staging: Staging
    before_commit: Callable[[], None] | None

    def complete(self, num_replaced: int, best_rule: BestRule) -> Manifest:
        """Add to what is known of the run what was captured of it, and how.

        Args:
            num_replaced: epochs that were due, and gave way to later ones.
            best_rule: which epochs are the best.
        """
        manifest, captured = self.manifest, self.captured
        return replace(
            manifest,
            tables=captured.tables,
            left_out=captured.left_out,
            made_again=captured.made_again,
            exact=manifest.exact and not captured.left_out,
            reasons=[*manifest.reasons, *map(_why_inexact, captured.left_out)],
            arrays=captured.arrays,
            generators=captured.generator_digests,
            num_replaced=num_replaced,
            judged_by=asdict(best_rule),
            written_by=user_name(),
        )


@dataclass
class SaveReport:
    """What became of captures since one last asked.

    Attributes:
        committed: epochs whose snapshots are durable.
        errors: why others could not be written, the oldest first.
        damaged: files of earlier snapshots that are not as they were written, a sentence each.
    """

    committed: list[int] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def lost(epoch: int, error: Exception) -> SnapshotWriteError:
    """Return the error that tells that a snapshot could not be written."""
    why = "there is not enough memory for it" if isinstance(error, MemoryError) else str(error)
    return SnapshotWriteError(
        f"the snapshot of epoch {epoch} could not be written: {why}; earlier snapshots are intact"
    )


def _why_inexact(memory: str) -> str:
    return f"replay memory {memory!r} was left out (include_buffer=False)"
