"""Label: whether a resume is exact, bit for bit, and if not why; found out, saved and explained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from garage_like.data.env_layers import layers_of
from garage_like.errors import SnapshotMismatchError
from garage_like.logging import logger
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.env_check import (
    STEPS_IN_ALL,
    check_env,
    judge_unstepped,
    judge_untried,
)
from garage_like.snapshot.env_reading import is_like
from garage_like.snapshot.fingerprint import differences, take_fingerprint
from garage_like.snapshot.graph.module_state import ModuleState
from garage_like.snapshot.graph.walk import walk
from garage_like.snapshot.kinds.environments import EnvState, KnownEnvs
from garage_like.snapshot.loading import LoadedSnapshot
from garage_like.snapshot.rng import hidden_random_numbers
from garage_like.trainer.record import trained_envs
from garage_like.trainer.settings import Changed


class Label:
    """Find out what a snapshot's label says; remember what was found of one run.

    Args:
        tries_envs: whether copies of environments may be stepped to find out about them.

    Attributes:
        env_states: what is known of the run's environments.
        modules: state beside the objects, in the run's own modules.
        changes: settings that are others than those that the run began with, as manifests have it.
        not_restored: what a restore that was tried did not bring back, a sentence each.
    """

    def __init__(self, *, tries_envs: bool = True) -> None:
        self.env_states = KnownEnvs(self._find_out)
        self._tries_envs = tries_envs
        self._tried: list[tuple[tuple[type, ...], EnvState]] = []
        self.modules = ModuleState()
        self.changes: list[dict[str, Any]] = []
        self._hidden: list[str] = []
        self._made_again: list[str] = []
        self.not_restored: list[str] = []

    def labelled(self, manifest: Manifest, graph: Mapping[str, Any]) -> Manifest:
        """Return a manifest with what the last capture told of environments.

        Args:
            manifest: of the snapshot.
            graph: that was captured.
        """
        found = [(_place_of(env, graph), state) for env, state in self.env_states.inexact]
        found.sort(key=lambda item: item[0] != "env")
        if not found:
            return manifest
        told = dict.fromkeys(
            f"environment{'' if place == 'env' else f' {place}'}: {state.reason}"
            for place, state in found
        )
        mode, reason = found[0][1].mode, found[0][1].reason
        return replace(
            manifest,
            exact=False,
            reasons=[*told, *manifest.reasons],
            env_state={**manifest.env_state, "mode": mode, "reason": reason},
        )

    def reasons(self) -> list[str]:
        """Return why a resume of what is saved now is not exact; log what was not known before.

        Environments apart: the capture comes upon those.
        """
        hidden = hidden_random_numbers() + self.modules.why_inexact()
        for reason in hidden:
            if reason not in self._hidden:
                logger.log(f"A resume of this run will not be exact: {reason}")
        self._hidden = hidden
        return [*map(why_changed, self.changes), *hidden, *self.not_restored]

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

    def _find_out(self, env: Any) -> EnvState:
        """Return how well an environment survives a snapshot; tried once, and logged if not."""
        alike = (state for classes, state in self._tried if classes == _classes(env))
        state = next((state for state in alike if is_like(env, state.settings)), None)
        if state is not None:
            return state
        state = judge_unstepped(env, self.env_states)
        if state is None:
            state = self._try(env)
            self._tried.append((_classes(env), state))
        if state.mode == "restart":
            logger.log(
                f"{_shown(env)} cannot be continued in the middle of an episode, a resume begins"
                f" a new one: {state.reason}"
            )
        elif not state.exact:
            logger.log(f"A resume of this run will not be exact: {_shown(env)}: {state.reason}")
        return state

    def _try(self, env: Any) -> EnvState:
        if not self._tries_envs:
            return judge_untried(env)
        logger.log(
            f"{_shown(env)} is tried: copies of it take {STEPS_IN_ALL} steps"
            " (check_env=False does without)"
        )
        with self.modules.untouched():
            return check_env(env, known=self.env_states, beside=self.modules.untouched)

    def tell_made_again(self, found: list[str]) -> None:
        """Log what is made again after a restore, and not saved, if that is news."""
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


def _shown(env: Any) -> str:
    """Return what gymnasium calls an environment, or the class of the innermost."""
    inner = layers_of(env)[-1]
    spec = getattr(inner, "spec", None)
    return str(getattr(spec, "id", type(inner).__name__))


def _classes(env: Any) -> tuple[type, ...]:
    return tuple(type(layer) for layer in layers_of(env))


def _place_of(env: Any, graph: Mapping[str, Any]) -> str:
    """Return where in a graph an environment is, as code would say it: `env` for the run's own."""
    trained = trained_envs(graph.get("algo"), graph.get("env"))
    if env is graph.get("env") or any(env is other for other in trained):
        return "env"
    return next((path for path, value in walk(graph) if value is env), _shown(env))
