"""Stable-Baselines3: what drops what it asks; files of its monitors and loggers."""

from __future__ import annotations

import csv
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.attributes import NEW_OBJECT, Part, PartsFunction, labelled
from garage_like.snapshot.kinds.kind import Kind, Pickling, Reducer, no_parts
from garage_like.snapshot.kinds.made_again import made_again

_OF_THE_CLASS = "class_attributes"


class StableBaselines3Kind(Kind):
    """Objects of Stable-Baselines3 that pickle loses a part of."""

    name = "stable_baselines3"
    modules = ("stable_baselines3",)
    versions = ("stable_baselines3", "sb3_contrib")

    def claims(self, cls: type) -> bool:
        """Tell whether a class is one of them; loads nothing."""
        return _is_forgetful(cls) or _is_hindsight(cls) or _is_writer(cls) or _is_log(cls)

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        if _is_log(cls):
            return _reduce_log
        if _is_hindsight(cls):
            return _reduce_hindsight
        return _reduce_writer if _is_writer(cls) else _reduce_whole

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        """Return what finds the parts of environments; files have none."""
        return no_parts if _is_writer(cls) or _is_log(cls) else _parts


def _is_forgetful(cls: type) -> bool:
    """Tell whether objects wrap vector environments: they copy their class, and may drop those."""
    module = sys.modules.get("stable_baselines3.common.vec_env.vec_normalize")
    if module is None or not issubclass(cls, module.VecEnvWrapper):
        return False
    return cls.__getstate__ in (object.__getstate__, module.VecNormalize.__getstate__)


def _is_hindsight(cls: type) -> bool:
    """Tell whether objects are replay memory that asks an environment for rewards, and drops it."""
    module = sys.modules.get("stable_baselines3.her.her_replay_buffer")
    if module is None or not issubclass(cls, module.HerReplayBuffer):
        return False
    return cls.__getstate__ is module.HerReplayBuffer.__getstate__


def _is_writer(cls: type) -> bool:
    module = sys.modules.get("stable_baselines3.common.monitor")
    return module is not None and issubclass(cls, module.ResultsWriter)


def _is_log(cls: type) -> bool:
    module = sys.modules.get("stable_baselines3.common.logger")
    names = ("CSVOutputFormat", "JSONOutputFormat", "HumanOutputFormat")
    return module is not None and issubclass(cls, tuple(getattr(module, name) for name in names))


def _reduce_whole(env: Any) -> Any:
    state = {name: value for name, value in vars(env).items() if name != _OF_THE_CLASS}
    return NEW_OBJECT, (type(env),), state, None, None, set_attributes


def set_attributes(env: Any, state: dict[str, Any]) -> None:
    """Fill a bare environment, past a `__setstate__` that expects less."""
    vars(env).update({**state, _OF_THE_CLASS: dict(inspect.getmembers(type(env)))})


def _reduce_hindsight(memory: Any) -> Any:
    return NEW_OBJECT, (type(memory),), dict(vars(memory)), None, None, set_memory


def set_memory(memory: Any, state: dict[str, Any]) -> None:
    """Fill bare replay memory, past a `__setstate__` that forgets the environment."""
    vars(memory).update(state)


def _parts(env: Any) -> list[Part]:
    return labelled({name: v for name, v in vars(env).items() if name != _OF_THE_CLASS})


def _reduce_writer(writer: Any) -> Any:
    """Return how a monitor's file is saved: with what is in it, for a new start empties it."""
    file, table = writer.file_handler, writer.logger
    told = (type(writer), file.name, _content_of(file), list(table.fieldnames))
    return made_again, (writer_again, told)


def _content_of(file: Any) -> np.ndarray:
    if not file.closed:
        file.flush()
    path = Path(file.name)
    return np.frombuffer(path.read_bytes() if path.exists() else b"", np.uint8)


def _reduce_log(log: Any) -> Any:
    """Return how a logger's file is saved: as that of a monitor; `stdout` as any stream."""
    file = log.file
    if not isinstance(getattr(file, "name", None), str) or not getattr(log, "own_file", True):
        return NotImplemented
    state = {name: value for name, value in vars(log).items() if name != "file"}
    return made_again, (log_again, (type(log), file.name, _content_of(file), state))


def log_again(cls: Any, name: str, content: np.ndarray, state: dict[str, Any]) -> Any:
    """Make a logger's file as it was, and go on at its end; of a table it is read again, too."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    log: Any = cls.__new__(cls)
    log.file = open(name, "w+")  # noqa: SIM115
    log.file.write(content.tobytes().decode())
    log.file.flush()
    vars(log).update(state)
    return log


def writer_again(cls: Any, name: str, content: np.ndarray, columns: list[str]) -> Any:
    """Make a monitor's file as it was, and go on at its end."""
    with open(name, "wb") as file:
        file.write(content.tobytes())
    writer: Any = cls.__new__(cls)
    writer.file_handler = open(name, "a", newline="\n")  # noqa: SIM115
    writer.logger = csv.DictWriter(writer.file_handler, fieldnames=columns)
    return writer
