"""Python's own random numbers, and packages that need nothing but their version written down."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from garage_like.snapshot.kinds.attributes import Part, PartsFunction
from garage_like.snapshot.kinds.kind import Kind, no_parts


class PythonKind(Kind):
    """Generators of Python."""

    name = "python"
    modules = ("random", "collections")
    versions = ("cloudpickle", "cma")

    def claims(self, cls: type) -> bool:
        return issubclass(cls, random.Random)

    is_generator = claims

    def generator_state(self, generator: random.Random) -> Any:
        return generator.getstate()

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return _generator_parts if as_pickled else no_parts

    def rng_state(self) -> dict[str, Any]:
        return {self.name: random.getstate()}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        random.setstate(state[self.name])


def _generator_parts(generator: random.Random) -> list[Part]:
    return [(".state", generator.getstate())]
