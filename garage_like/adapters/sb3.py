"""Stable-Baselines3: `model.learn` that goes on where it was, bit for bit.

    from garage_like.adapters import sb3

    model = PPO("MlpPolicy", env, seed=1)
    sb3.learn(model, 100_000, "runs/ppo")      # instead of model.learn(100_000)

The run is saved where a rollout begins: then nothing of the library's loop is under way. When the
script is started again, the model that it made is set to what was saved, its environments and
callbacks too. Works for the algorithms of `stable_baselines3` and `sb3_contrib`.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import os
from collections.abc import Iterable, Iterator
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from garage_like.adapters.sb3_callbacks import callbacks_in, state_of
from garage_like.adapters.sb3_logs import go_on_in, send_rows
from garage_like.errors import SnapshotMismatchError
from garage_like.logging.notices import printing_forgiven
from garage_like.snapshot.config import SnapshotConfig
from garage_like.trainer.epochs import ScriptLoop, loop_config
from garage_like.trainer.namespace import Namespace, Objects

OFF_POLICY_STEPS = 1000
_ONLY_SHOWN = ("verbose", "tensorboard_log", "device")
_HOOKS = ("collect_rollouts", "dump_logs", "_excluded_save_params")


def learn(
    model: BaseAlgorithm,
    total_timesteps: int,
    where: str | os.PathLike[str] | SnapshotConfig,
    *,
    every: int | None = None,
    callback: Any = None,
    skip: Iterable[str] = (),
    options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> BaseAlgorithm:
    """Train as `model.learn(total_timesteps)` would, bit for bit; go on if it was begun before.

    Args:
        model: as the script makes it each time it starts; it is restored in place.
        total_timesteps: as in `model.learn`: in total, those before a kill included.
        where: the run directory, or the `ctxt` of an experiment.
        every: rollouts from one safe point to the next; None: each of an on-policy algorithm, and
            so many as make a thousand timesteps of others.
        callback: as in `model.learn`.
        skip: attributes of the model that are not saved.
        options: of `SnapshotConfig`, such as `{'snapshot_mode': 'all'}`.
        kwargs: of `model.learn`: `log_interval`, `tb_log_name` and so on.

    Returns:
        The model.

    Raises:
        TypeError: if the model is none of Stable-Baselines3's.
        SnapshotMismatchError: if the directory holds the run of a model of another class.
        ValueError: if an argument is out of range.
        SnapshotSaveError: before training, if something cannot be saved; names it.
    """
    if not isinstance(model, BaseAlgorithm):
        raise TypeError(f"sb3.learn: expected a model of Stable-Baselines3, got {model!r}")
    if not kwargs.pop("reset_num_timesteps", True):
        raise ValueError("sb3.learn: timesteps are in total; leave reset_num_timesteps out")
    unknown = [name for name in skip if name not in vars(model)]
    if unknown:
        raise ValueError(f"sb3.learn: skip names {', '.join(unknown)}, which the model has not")
    if every is not None and every < 1:
        raise ValueError(f"sb3.learn: every must be at least 1, got {every}")
    run = _Run(model, int(total_timesteps), every, list(skip))
    return run.learn(loop_config(where, dict(options or {})), callback, kwargs)


class _FinishedError(Exception):
    """Raise out of the library's loop when nothing is left to do."""


class _Progress:
    """What the library's loop keeps in its local variables.

    Attributes:
        rollouts: how many were begun.
        finished_at: the timesteps in total for which training has ended; None before.
    """

    def __init__(self) -> None:
        self.rollouts = 0
        self.finished_at: int | None = None


class _Names(Namespace):
    """The names of what is saved of a model; another class of model is another run."""

    def write(self, restored: Objects) -> None:
        """Bind the names to what was restored.

        Raises:
            SnapshotMismatchError: if the script made a model of another class.
        """
        saved, made = type(vars(restored)["model"]), type(self._names["model"])
        if saved is not made:
            raise SnapshotMismatchError(
                f"sb3.learn: the directory holds a run of {saved.__name__}, and the model is one of"
                f" {made.__name__}; give each model a directory of its own"
            )
        super().write(restored)


class _Run:
    """One call of `learn`."""

    def __init__(
        self, model: BaseAlgorithm, total_timesteps: int, every: int | None, skip: list[str]
    ) -> None:
        self._model, self._total, self._skip = model, total_timesteps, skip
        steps = _steps_per_rollout(model)
        is_on_policy = isinstance(model, OnPolicyAlgorithm)
        self._every = every or (1 if is_on_policy else max(1, OFF_POLICY_STEPS // steps))
        self._n_epochs = math.ceil(total_timesteps / (steps * self._every))
        self._progress = _Progress()
        self._as_made = _settings_of(model)
        self._bag: dict[str, Any] = {}
        self._callback: BaseCallback | None = None
        self._epochs: Iterator[int] | None = None
        self._log_interval: int | None = None

    def learn(self, config: SnapshotConfig, callback: Any, kwargs: dict[str, Any]) -> BaseAlgorithm:
        """Train, or do nothing if all is done."""
        model: Any = self._model
        if isinstance(model, OnPolicyAlgorithm):
            default = inspect.signature(model.learn).parameters["log_interval"].default
            self._log_interval = kwargs.pop("log_interval", default)
            kwargs["log_interval"] = 1  # the loop counts from each start: see `_dump_logs`
        self._loop = ScriptLoop(config, self._n_epochs, _Names(self._bag), self._skip)
        with printing_forgiven(), self._hooked():
            try:
                model.learn(self._total, callback=callback, **kwargs)
            except _FinishedError:
                return self._model
            except BaseException as error:
                self._leave(error)
                raise
            self._finish()
        return self._model

    # ---- what the library's loop calls ----------------------------------------------------------

    @contextlib.contextmanager
    def _hooked(self) -> Iterator[None]:
        """Take part in the model's loop, by attributes that nobody saves."""
        model: Any = self._model
        hooks: dict[str, Any] = {
            "collect_rollouts": self._collect_rollouts,
            "_excluded_save_params": lambda: [*type(model)._excluded_save_params(model), *_HOOKS],
        }
        if self._log_interval is not None or isinstance(model, OnPolicyAlgorithm):
            hooks["dump_logs"] = self._dump_logs
        vars(model).update(hooks)
        try:
            yield
        finally:
            for name in _HOOKS:
                vars(model).pop(name, None)

    def _collect_rollouts(self, *args: Any, **kwargs: Any) -> Any:
        model: Any = self._model
        if self._progress.rollouts % self._every == 0 or self._epochs is None:
            before = dict(vars(model))
            self._reach_safe_point((*args, *kwargs.values()))
            args = tuple(_now(model, before, value) for value in args)
            kwargs = {name: _now(model, before, value) for name, value in kwargs.items()}
        self._progress.rollouts += 1
        return type(model).collect_rollouts(model, *args, **kwargs)

    def _dump_logs(self, iteration: int) -> None:
        interval = self._log_interval
        if interval is not None and self._progress.rollouts % interval == 0:
            model: Any = self._model
            type(model).dump_logs(model, self._progress.rollouts)

    # ---- safe points ----------------------------------------------------------------------------

    def _reach_safe_point(self, arguments: tuple[Any, ...]) -> None:
        """Save; restore if this process has just begun."""
        if self._epochs is not None:
            self._next()
            return
        self._callback = next((a for a in arguments if isinstance(a, BaseCallback)), None)
        send_rows(self._model)
        fresh: Any = self._model.logger
        with self._unhooked():
            self._put_in_bag()
            self._epochs = iter(self._loop.iterate())
            has_begun = next(self._epochs, None) is not None
        self._take_from_bag()
        if self._loop.was_restored:
            self._tell_other_settings()
            go_on_in(self._model, fresh)
        is_finished = self._progress.finished_at is not None and (
            self._progress.finished_at >= self._total
        )
        if is_finished or not has_begun:
            self._leave(None)
            raise _FinishedError
        self._progress.finished_at = None
        self._model._total_timesteps = self._total

    def _tell_other_settings(self) -> None:
        """Log what the script says otherwise than the model that goes on: it may be another run."""
        made, saved = self._as_made, _settings_of(self._model)
        others = [
            f"{name} is {saved[name]!r}, and {made[name]!r} in the script"
            for name in made
            if name in saved and made[name] != saved[name]
        ]
        if others:
            self._loop.tell(f"The model goes on as it was saved: {'; '.join(others)}")

    def _next(self) -> None:
        with self._unhooked():
            self._put_in_bag()
            if next(self._epochs or iter(()), None) is None:
                raise _FinishedError

    def _finish(self) -> None:
        """Keep the trained model."""
        self._progress.finished_at = self._total
        self._loop.ends_here = True
        with self._unhooked():
            self._put_in_bag()
            if self._epochs is not None:
                next(self._epochs, None)

    def _leave(self, error: BaseException | None) -> None:
        """Let go of the run directory; what an error broke off is no epoch."""
        epochs: Any = self._epochs
        if epochs is None or epochs.gi_frame is None:
            return
        if error is None:
            epochs.close()
            return
        with contextlib.suppress(type(error)):
            epochs.throw(error)

    @contextlib.contextmanager
    def _unhooked(self) -> Iterator[None]:
        model: Any = self._model
        taken = [name for name in (*_HOOKS, *self._skip) if name in vars(model)]
        hooks = {name: vars(model).pop(name) for name in taken}
        try:
            yield
        finally:
            vars(model).update(hooks)

    def _put_in_bag(self) -> None:
        """Name what a script may hold itself: such objects are restored in place."""
        model: Any = self._model
        self._bag.clear()
        self._bag.update(model=model, progress=self._progress)
        for name in ("policy", "replay_buffer", "rollout_buffer"):
            if getattr(model, name, None) is not None:
                self._bag[name] = getattr(model, name)
        places = [("env", model.env)]
        callbacks = callbacks_in(self._callback)
        for number, callback in enumerate(callbacks):
            places.append((f"eval_env_{number}", getattr(callback, "eval_env", None)))
        for place, env in places:
            while env is not None:
                self._bag[place] = env
                place, env = f"{place}_inside", vars(env).get("venv")
        self._bag["callbacks"] = [state_of(callback) for callback in callbacks]

    def _take_from_bag(self) -> None:
        self._progress = self._bag["progress"]
        live = callbacks_in(self._callback)
        for callback, state in zip(live, self._bag["callbacks"], strict=False):
            vars(callback).update(state)


def _steps_per_rollout(model: Any) -> int:
    """Return how many timesteps a rollout has; 1 where that is not known before."""
    n_envs = getattr(model, "n_envs", 1)
    if isinstance(model, OnPolicyAlgorithm):
        return int(model.n_steps * n_envs)
    frequency = model.train_freq
    if not hasattr(frequency, "unit"):  # as it was given; a tuple may count episodes
        is_steps = isinstance(frequency, int) or frequency[1] == "step"
        number = frequency if isinstance(frequency, int) else frequency[0]
    else:
        is_steps, number = frequency.unit.value == "step", frequency.frequency
    return int(number * n_envs) if is_steps else 1


def _settings_of(model: Any) -> dict[str, Any]:
    """Return what a model was made with, as far as it is plain numbers and text."""
    names = inspect.signature(type(model).__init__).parameters
    found = {name: vars(model).get(name) for name in names if name not in _ONLY_SHOWN}
    return {k: v for k, v in found.items() if isinstance(v, bool | int | float | str)}


def _now(model: Any, before: dict[str, Any], value: Any) -> Any:
    """Return what stands in the place of an attribute of the model since it was restored."""
    name = next((name for name, old in before.items() if old is value), None)
    return value if name is None or isinstance(value, BaseCallback) else vars(model)[name]
