"""Trainer: trains an algorithm epoch by epoch, snapshots it, restores and resumes it.

`train` and `resume` are one path: train is a resume from nothing. The loop is in `loop.py`, and so
are the words that are used here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from garage_like.callbacks.calling import Callbacks
from garage_like.configuration.comparison import ConfigPolicy, Difference, check_config_policy
from garage_like.errors import NotSetupError, SnapshotMismatchError
from garage_like.logging import logger
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.loading import LoadedSnapshot, load_snapshot
from garage_like.trainer.loop import Loop
from garage_like.trainer.state import TrainArgs, check_count

if TYPE_CHECKING:
    from garage_like.callbacks.callback import AnyCallback
    from garage_like.interfaces import Environment, RLAlgorithm


class Trainer(Loop):
    """Train an algorithm, and keep snapshots from which training goes on bit for bit.

    Args:
        snapshot_config: where and when to save, or the `ctxt` that `wrap_experiment` hands to an
            experiment. `SnapshotConfig()` without a directory makes one, with logs, when training
            begins; None saves nothing.
    """

    def __init__(self, snapshot_config: SnapshotConfig | None = None) -> None:
        if snapshot_config is not None and not isinstance(snapshot_config, SnapshotConfig):
            raise TypeError(
                "Trainer: snapshot_config must be a SnapshotConfig, or the ctxt that"
                f" wrap_experiment hands to the experiment; got {snapshot_config!r}"
            )
        super().__init__(snapshot_config or SnapshotConfig(snapshot_dir=".", snapshot_mode="none"))
        self._goes_on = False
        if self._config.video_interval:
            from garage_like.pictures.video import check_video_support

            check_video_support()

    # ---- what to train --------------------------------------------------------------------------

    def setup(
        self, algo: RLAlgorithm, env: Environment, callbacks: Iterable[AnyCallback] = ()
    ) -> None:
        """Say what to train.

        Args:
            algo: has `train(trainer)`, and `_sampler` if it draws episodes through the trainer.
            env: saved along with it; the sampler's first worker steps it, others step copies.
            callbacks: called after each epoch, in this order; their state is saved, too.
        """
        if not callable(getattr(algo, "train", None)):
            raise TypeError(f"setup: algo must have a train(trainer) method, got {algo!r}")
        self._algo, self._env = algo, env
        self._callbacks = Callbacks(callbacks)
        self._session.label.modules.callables = self._callbacks.functions

    def restore(
        self,
        from_dir: str | os.PathLike[str],
        from_epoch: FromEpoch = "last",
        *,
        include_buffer: bool | None = None,
        require_exact: bool = False,
        trust: bool = False,
        config_policy: ConfigPolicy | None = None,
    ) -> TrainArgs:
        """Load a snapshot; `resume` then goes on from it.

        After `setup`, the state is loaded into the objects that were set up; else into new ones.

        Args:
            from_dir: a run directory, or one snapshot.
            from_epoch: `'last'`, `'first'`, `'best'` or an epoch.
            include_buffer: True insists on replay memory, False leaves it on the disk: it comes
                back empty, and is filled again by the policy as it is. None takes what was saved.
            require_exact: refuse to go on where bits may differ: from other versions, another
                number of threads, another processor.
            trust: restore though another user wrote it: that runs code which it brings along.
            config_policy: what to do if the snapshot was made with other arguments than the objects
                that were set up. `'error'` refuses. With `'update'` the run goes on with what is
                set up now, its weights and counters kept, or refuses if that cannot be changed in
                mid-run; manifests say so from there on. `'warn'` does the same as far as it can be
                changed, and warns of what differs. With `'ignore'` the snapshot's arguments count,
                and those set up have no effect. None: as the configuration says.

        Returns:
            The arguments that the run was trained with; `start_epoch` is the epoch to go on with.

        Raises:
            SnapshotNotFoundError: if there is no such snapshot, or no replay memory in it.
            SnapshotCorruptError: if it does not verify.
            SnapshotMismatchError: if it holds another algorithm than the one set up, or was made
                with other arguments; or if bits may differ and must not.
            SnapshotUntrustedError: if another user wrote it, and it is not to be trusted.
        """
        policy = self._config.config_policy if config_policy is None else config_policy
        check_config_policy(policy)
        loaded = load_snapshot(
            from_dir,
            from_epoch,
            unrecorded=self._config.best_rule,
            include_buffer=include_buffer,
        )
        self._check_class(loaded)
        otherwise: list[Difference] = []
        if self._algo is not None:
            parts = self._live_objects()
            otherwise = self._session.check_configuration(loaded, parts, policy)
        if require_exact:
            self._session.label.refuse(list(map(str, otherwise)), loaded.path)
        self._restore(
            loaded,
            require_exact=require_exact,
            trust=trust,
            otherwise=otherwise,
            config_policy=policy,
        )
        return self._args_of_training()

    def change(self, settings: Mapping[str, Any]) -> None:
        """Let the restored run go on with other settings; its weights and counters stay.

        Args:
            settings: values by name, as `configuration.json` has them: `{"algo.discount": 0.98,
                "policy_optimizer.lr": 1e-4, "sampler.n_envs": 8}`.

        Raises:
            NotSetupError: if nothing was restored.
            ValueError: if there is no such setting; says which there are.
            SnapshotMismatchError: if one cannot be changed in mid-run.
        """
        if self._restored is None or self._settings is None:
            raise NotSetupError("change: nothing was restored; call restore(dir) first")
        changed = self._settings.change(settings, self._session.label.env_states)
        with self._heard():
            epoch = self._args_of_training().start_epoch
            why = self._session.label.go_on_otherwise(changed, epoch)
            self._inexact += why
            if why:
                self._session.label.explain(why)

    def _check_class(self, loaded: LoadedSnapshot) -> None:
        saved = loaded.manifest.classes.get("algo", "")
        expected = f".{type(self._algo).__qualname__}"
        if self._algo is not None and not f".{saved}".endswith(expected):
            raise SnapshotMismatchError(
                f"restore: {loaded.path} holds {saved}, but setup was given"
                f" {type(self._algo).__qualname__}; restore before setup, or another snapshot"
            )

    # ---- train and resume -----------------------------------------------------------------------

    def train(
        self,
        n_epochs: int,
        batch_size: int | None = None,
        plot: bool = False,
        store_episodes: bool = False,
        pause_for_plot: bool = False,
    ) -> Any:
        """Train from epoch 0; with `auto_resume`, from where an earlier start of the run got to.

        After `restore`, this trains the restored objects from the start: epochs count from 0, and
        the run needs a directory of its own. Called again, it trains a further stage of the same
        run: epochs, rows and snapshots go on, and a run that is killed is resumed in its stage.

        Args:
            n_epochs: epochs in total; of the stage, where this is called again.
            batch_size: env steps to collect in an epoch.
            plot: show the policy after each epoch.
            store_episodes: keep the epoch's episodes in the snapshot.
            pause_for_plot: wait for a key after showing the policy.

        Returns:
            What the algorithm's `train` returns: for ours, the last epoch's average return.

        Raises:
            NotSetupError: if neither `setup` nor `restore` was called.
            RunLockedError: if another process trains in this directory.
        """
        if self._algo is None:
            raise NotSetupError(
                "train: nothing to train; call setup(algo, env) or restore(dir) first"
            )
        args = TrainArgs(n_epochs, batch_size, plot, store_episodes, pause_for_plot)
        stage, last = self._session.begin_stage(self._stats.total_epoch)
        saved = self._session.saved_stage() if self._config.auto_resume else None
        if saved is not None and self._restored is None and stage <= saved:
            if stage < saved:
                with self._heard():
                    logger.log(f"Stage {stage} of training was finished by an earlier start")
                return None
            self._goes_on = True
            args = self.restore(self._config.snapshot_dir)
            if args.stopped_by:
                self._say_nothing_is_left(f"{args.stopped_by} ended training")
                return None
            n_epochs += args.stage_start
            return self.resume(n_epochs, batch_size, plot, store_episodes, pause_for_plot)
        is_used = self._goes_on or self._session.has_begun_from(self._restored)
        if self._restored is not None and not is_used:
            self._session.refuse_in_place(self._restored.path)
            self._stats = replace(self._stats, total_epoch=-1)
        elif self._session.has_begun or self._goes_on:  # a further stage: its epochs go on
            start = last + 1
            self._stats = replace(self._stats, total_epoch=last)
            args = replace(args, n_epochs=start + n_epochs, start_epoch=start)
            args = replace(args, stage=stage, stage_start=start)
        self._train_args = args
        self._session.label.modules.loop.forget()
        return self._run()

    def resume(
        self,
        n_epochs: int | None = None,
        batch_size: int | None = None,
        plot: bool | None = None,
        store_episodes: bool | None = None,
        pause_for_plot: bool | None = None,
        *,
        additional_epochs: int | None = None,
        require_exact: bool = False,
    ) -> Any:
        """Go on training from the restored snapshot.

        Args:
            n_epochs: epochs in total, those before the snapshot included; None: as before.
            batch_size: env steps to collect in an epoch; None: as before.
            plot: show the policy after each epoch; None: as before.
            store_episodes: keep the epoch's episodes in the snapshot; None: as before.
            pause_for_plot: wait for a key after showing the policy; None: as before.
            additional_epochs: epochs after the snapshot, instead of `n_epochs`.
            require_exact: as in `restore`.

        Returns:
            What the algorithm's `train` returns; None if nothing is left to do.

        Raises:
            NotSetupError: if nothing was restored.
            ValueError: if both `n_epochs` and `additional_epochs` are given.
            SnapshotMismatchError: if bits may differ and must not.
        """
        if self._train_args is None or self._restored is None:
            raise NotSetupError("resume: nothing to go on from; call restore(dir) first")
        if require_exact:
            self._session.label.refuse(self._inexact, self._restored.path)
        start = self._stats.total_epoch + 1
        if additional_epochs is not None:
            check_count("additional_epochs", additional_epochs, 0)
            if n_epochs is not None:
                raise ValueError(
                    f"resume: give n_epochs (in total, {n_epochs}) or additional_epochs"
                    f" ({additional_epochs}), not both"
                )
            n_epochs = start + additional_epochs
        given = {
            "n_epochs": n_epochs,
            "batch_size": batch_size,
            "plot": plot,
            "store_episodes": store_episodes,
            "pause_for_plot": pause_for_plot,
        }
        changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        self._train_args = replace(self._train_args, start_epoch=start, stopped_by="", **changed)
        if self._train_args.n_epochs <= start:
            self._say_nothing_is_left(f"the run has {self._train_args.n_epochs} epochs")
            return None
        return self._run()

    def _say_nothing_is_left(self, why: str) -> None:
        with self._heard():
            logger.log(
                f"Nothing is left to do: {why} and the last one that was finished is"
                f" {self._stats.total_epoch}; pass n_epochs or additional_epochs to train longer"
            )

    def _run(self) -> Any:
        if self._algo is None:
            raise NotSetupError("nothing to train; call setup(algo, env) or restore(dir) first")
        with self._running():
            return self._algo.train(self)
