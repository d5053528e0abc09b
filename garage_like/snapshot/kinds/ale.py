"""The Arcade Learning Environment: an emulator becomes bytes, and back.

`cloneState(include_rng=True)` holds the whole machine; what an emulator is set to is read from it.
The game is found by its name, since the ROM lies where `ale_py` is installed. One thing that the
emulator does not tell is the action that it took last, which sticky actions would repeat: with
`repeat_action_probability` above 0 it is not saved.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.kinds.attributes import Part, PartsFunction, labelled
from garage_like.snapshot.kinds.kind import Kind, Pickling, Reducer, no_parts

_INTEGERS = ("random_seed", "frame_skip", "max_num_frames_per_episode", "reward_min", "reward_max")
_FLAGS = ("color_averaging", "sound_obs", "truncate_on_loss_of_life")


class AleKind(Kind):
    """Emulators of the Arcade Learning Environment."""

    name = "ale_py"
    modules = ("ale_py",)

    def claims(self, cls: type) -> bool:
        ale_py = sys.modules.get("ale_py")
        return ale_py is not None and cls is ale_py.ALEInterface

    def reducer(self, cls: type, pickling: Pickling) -> Reducer:
        return reduce_ale

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return _parts if as_pickled else no_parts


def reduce_ale(ale: Any) -> tuple[Any, ...]:
    """Return how pickle saves an emulator.

    Raises:
        pickle.PicklingError: if its actions are sticky.
    """
    if ale.getFloat("repeat_action_probability") > 0:
        raise pickle.PicklingError(
            "with sticky actions, the emulator does not tell which action it would repeat; make the"
            " environment with repeat_action_probability=0"
        )
    if not ale.getString("rom_file"):
        return rebuild_ale, (ale_settings(ale), None, None)
    game = Path(ale.getString("rom_file")).stem
    return rebuild_ale, (ale_settings(ale), game, ale_bytes(ale))


def ale_settings(ale: Any) -> dict[str, Any]:
    """Return what an emulator is set to, by name."""
    return {
        **{name: ale.getInt(name) for name in _INTEGERS},
        **{name: ale.getBool(name) for name in _FLAGS},
    }


def ale_bytes(ale: Any) -> np.ndarray:
    """Return the state of the machine, shape (nbytes,)."""
    return np.frombuffer(ale.cloneState(include_rng=True).serialize(), np.uint8).copy()


def _parts(ale: Any) -> list[Part]:
    parts = labelled(ale_settings(ale))
    loaded = ale.getString("rom_file")
    return [*parts, (".state", ale_bytes(ale))] if loaded else parts


def rebuild_ale(settings: dict[str, Any], game: str | None, content: np.ndarray | None) -> Any:
    """Build an emulator in a state."""
    import ale_py

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    ale = ale_py.ALEInterface()
    for name, value in settings.items():
        if name in _INTEGERS:
            ale.setInt(name, value)
        else:
            ale.setBool(name, value)
    ale.setFloat("repeat_action_probability", 0.0)
    if game is not None and content is not None:
        state = ale_py.ALEState(content.tobytes())
        rom = ale_py.roms.get_rom_path(game)
        if rom is None:
            raise SnapshotMismatchError(
                f"the snapshot plays {game!r}, of which the ale-py installed here has no ROM;"
                " install the version that the manifest names"
            )
        ale.loadROM(rom)
        ale.setMode(state.getCurrentMode())
        ale.setDifficulty(state.getDifficulty())
        ale.restoreState(state)
    return ale
