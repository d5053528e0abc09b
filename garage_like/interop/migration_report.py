"""What `migrate` says of what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from garage_like.interop.checkpoint import Checkpoint
from garage_like.interop.statistics import ObservationStatistics, is_of_returns
from garage_like.interop.weights import Component

_SHOWN = 6


@dataclass(frozen=True)
class Migrated:
    """One array of the target, and what it was made from.

    Attributes:
        own: its name.
        theirs: names in the checkpoint; several were joined by their outputs.
        shape: of the array, as the target has it.
        how: why these, and what was done to them.
    """

    own: str
    theirs: tuple[str, ...]
    shape: tuple[int, ...]
    how: str


@dataclass(frozen=True)
class MigrationReport:
    """What went where.

    Attributes:
        source: the checkpoint.
        format: that of the library that wrote it, as far as one can tell.
        migrated: every array of the target that was replaced.
        kept: names of those that were not.
        unused: names in the checkpoint that were not taken.
        observation_statistics: what observations have to be normalised by, or None.
        return_statistics: what values or rewards were normalised by, or None.
        notes: what else there is to know.
    """

    source: str
    format: str
    migrated: tuple[Migrated, ...]
    kept: tuple[str, ...]
    unused: tuple[str, ...]
    observation_statistics: ObservationStatistics | None
    return_statistics: ObservationStatistics | None
    notes: tuple[str, ...]

    @property
    def name_map(self) -> dict[str, tuple[str, ...]]:
        """What `migrate` takes to do the same again, however names may be guessed then."""
        return {one.own: one.theirs for one in self.migrated if one.theirs}

    def __str__(self) -> str:
        """Return a line for each array."""
        width = max((len(one.own) for one in self.migrated), default=0)
        lines = [f"{self.source} ({self.format}): {len(self.migrated)} arrays"]
        for one in self.migrated:
            theirs = " + ".join(one.theirs) or "-"
            lines.append(f"  {one.own:{width}} <- {theirs}  {one.shape}  {one.how}")
        for title, names in (("kept as they were", self.kept), ("not taken", self.unused)):
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            lines += [f"  {title}: {', '.join(names[:_SHOWN])}{more}"] if names else []
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def statistics_of_observations(checkpoint: Checkpoint) -> ObservationStatistics | None:
    """Return the statistics in a checkpoint that are of observations, or None."""
    return next((s for s in checkpoint.statistics if not is_of_returns(s.source)), None)


def report_of(
    checkpoint: Checkpoint,
    components: Sequence[Component],
    how: Mapping[str, tuple[tuple[str, ...], str]],
    notes: Sequence[str],
) -> MigrationReport:
    """Return a report.

    Args:
        checkpoint: what was read.
        components: of the target.
        how: for each weight that was replaced, names in the checkpoint, and why these.
        notes: what else there is to say.
    """
    weights = [weight for component in components for weight in component.weights]
    migrated = tuple(
        Migrated(w.name, how[w.name][0], w.shape[::-1] if w.is_turned else w.shape, how[w.name][1])
        for w in weights
        if w.name in how
    )
    used = {name for one in migrated for name in one.theirs}
    return MigrationReport(
        checkpoint.origin,
        checkpoint.format,
        migrated,
        tuple(weight.name for weight in weights if weight.name not in how),
        tuple(name for name in checkpoint.arrays if name not in used),
        statistics_of_observations(checkpoint),
        next((s for s in checkpoint.statistics if is_of_returns(s.source)), None),
        tuple(notes),
    )
