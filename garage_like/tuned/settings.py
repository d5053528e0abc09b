"""Settings of an algorithm on an environment: a TOML file each, `settings/PPO/CartPole-v1.toml`.

`defaults.toml` beside it serves environments that have none. Torch and TensorFlow read the same
files; JAX, whose algorithms take other arguments, those below `settings/jax`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "settings"
BACKENDS = ("torch", "tf", "jax")
IN_TF = ("PPO", "TRPO", "DQN", "DDPG", "TD3")
_DEFAULTS = "defaults"


@dataclass(frozen=True)
class Settings:
    """What a run is made from.

    Attributes:
        algorithm: its name, PPO say.
        environment: its id, CartPole-v1 say.
        backend: torch, tf or jax.
        values: by section and name, such as `algo.discount`.
        are_defaults: whether no file is about this environment.
    """

    algorithm: str
    environment: str
    backend: str
    values: Mapping[str, Any]
    are_defaults: bool = False

    @classmethod
    def find(cls, algorithm: str, environment: str, backend: str = "torch") -> Settings:
        """Read the settings of an algorithm on an environment; else those for any environment.

        Raises:
            ValueError: if the backend has no such algorithm, or no environment has such an id.
        """
        known = available(backend)
        named = {name.lower(): name for name in known}
        if algorithm.lower() not in named:
            raise ValueError(
                f"no settings for the algorithm {algorithm!r} in {backend};"
                f" there are {', '.join(known)}"
            )
        algorithm = named[algorithm.lower()]
        if environment not in known[algorithm]:
            _check_registered(environment, known[algorithm])
        path = _folder(backend) / algorithm / f"{environment}.toml"
        are_defaults = not path.is_file()
        if are_defaults:
            path = path.with_name(f"{_DEFAULTS}.toml")
        return cls(algorithm, environment, backend, _read(path), are_defaults)

    def but(self, values: Mapping[str, Any]) -> Settings:
        """Return settings in which some have other values.

        Raises:
            ValueError: if a name has no section: `discount` instead of `algo.discount`.
        """
        for name in values:
            if not all(name.partition(".")):
                raise ValueError(
                    f"expected a section and a name, such as algo.discount, got {name!r}"
                )
        return replace(self, values={**self.values, **values})

    def section(self, name: str) -> dict[str, Any]:
        """Return what one section says, by names."""
        start = f"{name}."
        return {
            key.removeprefix(start): value
            for key, value in self.values.items()
            if key.startswith(start)
        }


def available(backend: str = "torch") -> dict[str, list[str]]:
    """Return algorithms by their names, and the environments that each has settings for."""
    folders = sorted(path for path in _folder(backend).iterdir() if path.name != "jax")
    return {
        folder.name: sorted(path.stem for path in folder.glob("*.toml") if path.stem != _DEFAULTS)
        for folder in folders
        if backend != "tf" or folder.name in IN_TF
    }


def _folder(backend: str) -> Path:
    return FOLDER / "jax" if backend == "jax" else FOLDER


def _read(path: Path) -> dict[str, Any]:
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": value
        for section, values in sections.items()
        for name, value in values.items()
    }


def _check_registered(environment: str, known: list[str]) -> None:
    import gymnasium

    try:
        gymnasium.spec(environment)
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        near = difflib.get_close_matches(environment, [*gymnasium.registry], n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(
            f"gymnasium knows no environment {environment!r}{hint};"
            f" there are settings for {', '.join(known)}"
        ) from error
