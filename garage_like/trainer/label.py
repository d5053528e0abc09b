"""Label: whether a resume is exact, bit for bit, and if not why; found out, saved and explained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotMismatchError
from garage_like.interfaces import Sampler
from garage_like.logging import logger
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.fingerprint import differences, take_fingerprint
from garage_like.snapshot.graph.module_state import ModuleState
from garage_like.snapshot.kinds.environments import EnvKind, EnvState, kind_of
from garage_like.snapshot.loading import LoadedSnapshot
from garage_like.snapshot.rng import hidden_random_numbers
from garage_like.trainer.settings import Changed


class Label:
    """Find out what a snapshot's label says; remember what was found of one run.

    Attributes:
        env_states: what is known of the run's environments.
        modules: state beside the objects, in the run's own modules.
        changes: settings that are others than those that the run began with, as manifests have it.
        not_restored: what a restore that was tried did not bring back, a sentence each.
    """

    def __init__(self) -> None:
        self.env_states: dict[EnvKind, EnvState] = {}
        self.modules = ModuleState()
        self.changes: list[dict[str, Any]] = []
        self._hidden: list[str] = []
        self._made_again: list[str] = []
        self.not_restored: list[str] = []

    def reasons(self, env_state: EnvState) -> list[str]:
        """Return why a resume of what is saved now is not exact; log what was not known before."""
        hidden = hidden_random_numbers() + self.modules.why_inexact()
        for reason in hidden:
            if reason not in self._hidden:
                logger.log(f"A resume of this run will not be exact: {reason}")
        self._hidden = hidden
        of_env = [] if env_state.exact else [f"environment: {env_state.reason}"]
        return [*of_env, *map(why_changed, self.changes), *hidden, *self.not_restored]

    def go_on_otherwise(self, changed: Iterable[Changed], epoch: int) -> list[str]:
        """Take note of settings that were changed before an epoch; log them.

        Returns:
            Why what follows is not as if the run had never stopped.
        """
        new = [{"epoch": epoch, **vars(change)} for change in changed]
        self.changes = [*self.changes, *new]
        for change in new:
            was, now = (json.dumps(change[key], default=str) for key in ("was", "now"))
            logger.log(f"From epoch #{epoch} on {change['name']} is {now}; it was {was}")
        return [why_changed(change) for change in new]

    def checked_envs(self, algo: Any, env: Any) -> EnvState:
        """Return how well the environments of a run survive a snapshot: as the worst does."""
        sampler = getattr(algo, "sampler", None)
        many = sampler.vector_envs() if isinstance(sampler, Sampler) else []
        states = [self.checked_env(one) for one in (env, *many)]
        return next((state for state in states if not state.exact), states[0])

    def checked_env(self, env: Any) -> EnvState:
        """Return how well an environment survives a snapshot; tried once, and logged if not."""
        if env is None:
            return EnvState("exact")
        kind = kind_of(env)
        if kind not in self.env_states:
            with self.modules.untouched():
                state = self.env_states[kind] = check_env(env, known=self.env_states)
            if not state.exact:
                logger.log(
                    "The environment cannot be continued in the middle of an episode, a resume"
                    f" begins a new one: {state.reason}"
                )
        return self.env_states[kind]

    def tell_made_again(self, found: list[str]) -> None:
        """Log what is made anew after a restore, and not saved, if that is news."""
        if found != self._made_again:
            self._made_again = found
            logger.log(f"Not saved, and made again after a restore: {', '.join(found)}")

    # ---- of what was restored ----------------------------------------------------------------

    @staticmethod
    def why_inexact(restored: LoadedSnapshot) -> list[str]:
        """Return why a resume from here may not be bit-identical; nothing if it will be."""
        manifest = restored.manifest
        reasons = manifest.reasons + differences(manifest.fingerprint, take_fingerprint())
        if not restored.include_buffer:
            reasons.append("replay memory was not loaded (include_buffer=False)")
        return reasons or ([] if manifest.exact else ["the snapshot says so, but not why"])

    @staticmethod
    def refuse(reasons: Sequence[str], snapshot: Path) -> None:
        """Raise if there are reasons why a resume may not be bit-identical."""
        if reasons:
            raise SnapshotMismatchError(
                f"{snapshot}: a resume here may differ in bits: {'; '.join(reasons)}. Restore what"
                " it was made with, or go on without require_exact"
            )

    @staticmethod
    def explain(reasons: Sequence[str]) -> None:
        """Log whether the resume will be bit-identical, and if not why."""
        if not reasons:
            logger.log("The resume is exact: every number from here on is as if never stopped")
            return
        logger.log("The resume is numerical, bits may differ:")
        for reason in reasons:
            logger.log(f"  {reason}")


def why_changed(change: Mapping[str, Any]) -> str:
    """Return why a run whose settings were changed is not what its launcher says it is."""
    return f"{change['name']} was changed before epoch {change['epoch']}"
