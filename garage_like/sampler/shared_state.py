"""What environments of one process share, and environments side by side may not use."""

from __future__ import annotations

from collections.abc import Callable

from garage_like.sampler.parcels import digest, pack
from garage_like.snapshot.kinds.registry import KINDS


def noted() -> Callable[[], str | None]:
    """Note the process's own generators; return what names the first that has moved since."""
    before = _generators()

    def moved() -> str | None:
        after = _generators()
        return next((name for name, state in before.items() if after.get(name) != state), None)

    return moved


def _generators() -> dict[str, str]:
    states = {kind.name: kind.rng_state() for kind in KINDS.loaded()}
    return {f"{name}.random": digest(pack(state)) for name, state in states.items() if state}
