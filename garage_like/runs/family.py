"""The family of runs below a folder: which run was branched from which, and at which epoch.

Reads: what `ls` reads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from garage_like.runs.index import overviews


@dataclass
class Member:
    """A run and those that were branched from it.

    Attributes:
        run: its directory, or the place where a parent that is not below the folder is said to be.
        last_epoch: of its newest snapshot.
        from_epoch: the epoch of its parent that it began with; None if it has no parent.
        present: whether it is there.
        changes: settings that it goes on with otherwise than it began, as manifests have them.
        children: in the order of the epochs at which they left.
    """

    run: str
    last_epoch: int | None = None
    from_epoch: int | None = None
    present: bool = True
    changes: list[dict[str, Any]] = field(default_factory=list)
    children: list[Member] = field(default_factory=list)


def families(root: Path) -> list[Member]:
    """Return the runs below a folder that have no parent, with all that descend from them.

    A parent that is elsewhere, or has gone, stands at the top in place of its children.
    """
    members: dict[Path, Member] = {}
    parents: dict[Path, Mapping[str, Any]] = {}
    for run in overviews(root, sizes=False):
        place = Path(os.path.realpath(run.run))
        members[place] = Member(run.run, run.last_epoch, changes=run.changes)
        if run.parent is not None:
            parents[place] = run.parent
    tops = [member for place, member in members.items() if place not in parents]
    for place, parent in parents.items():
        above = _place_of(parent["run"], place, members)
        if above not in members or _descends(above, place, parents, members):
            members[above] = Member(parent["run"], present=above.is_dir())
            tops.append(members[above])
        members[place].from_epoch = parent.get("epoch")
        members[above].children.append(members[place])
    for member in members.values():
        member.children.sort(key=lambda child: (child.from_epoch or 0, child.run))
    return sorted(tops, key=lambda member: member.run)


def _place_of(recorded: str, child: Path, members: Mapping[Path, Member]) -> Path:
    """Find a parent where it was, or beside its child: the folder of both may have been moved."""
    place = Path(recorded)
    beside = child.with_name(place.name)
    return beside if place not in members and beside in members and beside != child else place


def _descends(
    place: Path,
    ancestor: Path,
    parents: Mapping[Path, Mapping[str, Any]],
    members: Mapping[Path, Member],
) -> bool:
    """Tell whether a run descends from another, so that a circle is never drawn."""
    seen = set()
    while place not in seen:
        if place == ancestor:
            return True
        seen.add(place)
        if place not in parents:
            return False
        place = _place_of(parents[place]["run"], place, members)
    return False
