"""Resumable: the objects, the directory and the logs of a run, which a snapshot brings back."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from garage_like.configuration.comparison import ConfigPolicy, Difference
from garage_like.files.run_files import CACHE
from garage_like.logging import (
    RunLogs,
    active_run_logs,
    heard,
    logger,
)
from garage_like.logging.held_output import HeldOutput
from garage_like.logging.log_files import make_directory
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.graph.places import find_places, named_code
from garage_like.snapshot.graph.walk import walk
from garage_like.snapshot.kinds.environments import EnvStates
from garage_like.snapshot.loading import LoadedSnapshot, build_newest
from garage_like.snapshot.rng import get_global_rng, set_global_rng
from garage_like.trainer.handle import Training
from garage_like.trainer.interruption import Interruption
from garage_like.trainer.record import env_name
from garage_like.trainer.session import RunSession
from garage_like.trainer.settings import Settings, warn_of_settings
from garage_like.trainer.state import restored_lines


class Resumable(Training):
    """Hold what is trained, and say where it is written; take both from a snapshot.

    Args:
        config: where and when to save.
    """

    _x_axis: str | None = "TotalEnvSteps"

    def __init__(self, config: SnapshotConfig) -> None:
        super().__init__()
        self._config = config
        self._session = RunSession(config, type(self))
        self._interruption = Interruption()
        self._restored: LoadedSnapshot | None = None
        self._inexact: list[str] = []
        self._settings: Settings | None = None
        self._rng: dict[str, Any] | None = None
        self._last_row: dict[str, Any] = {}
        self._told = HeldOutput(0, lambda: None)

    # ---- objects --------------------------------------------------------------------------------

    def _graph(self) -> dict[str, Any]:
        kept = self._callbacks.kept
        return {
            "algo": self._algo,
            "env": self._env,
            **({} if kept is None else {"callbacks": kept}),
            "stats": self._stats,
            "train_args": self._train_args,
            "rng": get_global_rng(),
        }

    def _live_objects(self) -> dict[str, Any]:
        if self._algo is None:
            return {}
        return {"algo": self._algo, "env": self._env, "callbacks": self._callbacks.kept}

    def _env_states(self) -> EnvStates:
        return self._session.label.env_states

    def own_values(self) -> dict[str, Any]:
        """Return what globals, classes and functions of the user's own modules hold, by a name.

        Of functions and classes themselves, what tells which they are.
        """
        held = {name: place.value for name, place in find_places().items()}
        return dict(sorted({**named_code(), **held}.items()))

    # ---- restore ----------------------------------------------------------------------------

    def _restore(
        self,
        loaded: LoadedSnapshot,
        *,
        require_exact: bool,
        trust: bool,
        otherwise: Sequence[Difference] = (),
        config_policy: ConfigPolicy = "update",
    ) -> None:
        """Build the objects of a snapshot, in the live ones where there are such.

        Args:
            loaded: the snapshot.
            require_exact: refuse where bits may differ.
            trust: build them though another user wrote them.
            otherwise: what they are to go on with otherwise than they were made with.
            config_policy: with `'warn'`, as far as that can be changed.
        """
        label = self._session.label
        if require_exact:  # before anything is built, as far as can be told
            label.refuse(label.why_inexact(loaded), loaded.path)
        build = functools.partial(self._build, trust=trust)
        set_up = {id(value) for _, value in walk(self._live_objects())}
        with self._interruption.listening(), label.modules.unless_it_fails():
            loaded, graph = build_newest(loaded, build)
            self._inexact = label.why_inexact(loaded)
            settings = Settings(graph["algo"], graph["env"], graph.get("callbacks"))
            warns = config_policy == "warn"
            changed, left = settings.update(otherwise, self._env_states() if warns else None)
            as_given = self._algo is not None
            missing = self._callbacks.restore(graph.get("callbacks"), as_given=as_given)
            beside = label.modules.put_back(graph.pop("modules", {}), graph)
            self._inexact += missing + label.modules.why_not_put_back()
            if require_exact:
                label.refuse(self._inexact, loaded.path)
        label.modules.loop.bind_names_of_callers(set_up)
        self._settings = settings
        self._restored = replace(loaded, files={})  # objects have copies of what they need
        self._algo, self._env = graph["algo"], graph["env"]
        self._stats = graph["stats"]
        self._last_row = dict(loaded.manifest.metrics)
        start = self._stats.total_epoch + 1
        self._train_args = replace(graph["train_args"], start_epoch=start)
        self._rng = graph["rng"]
        set_global_rng(self._rng)
        self.step_itr = self._stats.total_itr
        label.not_restored += missing
        with self._heard():
            logger.log(f"Restore from snapshot saved in {loaded.path}")
            for line in restored_lines(self._train_args, self._stats):
                logger.log(line)
            if beside:
                logger.log(f"Restored beside the objects: {', '.join(sorted(beside))}")
            label.changes = list(loaded.manifest.changes)
            self._inexact += label.go_on_otherwise(changed, start)
            if left:
                listed = "; ".join(map(str, left))
                logger.log(f"What cannot be changed is as the snapshot has it: {listed}")
            label.explain(self._inexact)
        if warns and otherwise:
            warn_of_settings(loaded.path, changed, left, stacklevel=3)

    def _build(self, loaded: LoadedSnapshot, trust: bool) -> dict[str, Any]:
        live = components_of(self._live_objects())
        in_its_script = self._session.label.modules.is_of_a_script
        with restoring_into(live, in_its_script=in_its_script):
            return loaded.graph(trust)

    def _note_changes_by_hand(self) -> None:
        """Take note of what was changed on restored objects before they go on."""
        if self._settings is not None:
            start = self._args_of_training().start_epoch
            changed, self._settings = self._settings.changed_by_hand(), None
            self._session.label.go_on_otherwise(changed, start)

    # ---- directory and logs ---------------------------------------------------------------------

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return Path(self._config.snapshot_dir)

    @property
    def cache_dir(self) -> Path | None:
        """Where to keep what can be made again: what was compiled, say; None if nothing is kept."""
        return None if self._config.saves_nothing else self.run_dir / CACHE

    def _own_logs(self) -> contextlib.AbstractContextManager[Any]:
        """Open the logs of the run directory, if no experiment has opened any."""
        if self._config.saves_nothing or active_run_logs() is not None:
            if not self._config.has_directory and not self._config.saves_nothing:
                self._make_directory()
            return contextlib.nullcontext()
        is_new = not self._config.has_directory
        if is_new:
            self._make_directory()
        make_directory(self.run_dir)
        logs = RunLogs(self.run_dir, x_axis=self._x_axis, existing=not is_new)
        logs.add_lines(self._told)
        logger.log(f"Logging to {logs.directory}")
        return logs

    def _heard(self) -> contextlib.AbstractContextManager[None]:
        """Let be heard what is told now; logs that are opened later begin with it."""
        return heard(self._told)

    def _logs_between_trainings(self) -> contextlib.AbstractContextManager[Any]:
        """Open the logs where no loop runs, so that a snapshot knows where they end."""
        if active_run_logs() is not None:
            return contextlib.nullcontext()
        make_directory(self.run_dir)
        logs = RunLogs(self.run_dir, x_axis=self._x_axis, existing=True, console=False)
        logs.append()
        return logs

    def _make_directory(self) -> None:
        from garage_like.trainer.automatic_directory import with_directory

        self._config = with_directory(self._config, self._algo, env_name(self._env))
        self._session = self._session.moved_to(self._config)
