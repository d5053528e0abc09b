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
    versions = ("cloudpickle", "cma")

    def claims(self, cls: type) -> bool:
        """Tell whether a class is one of generators."""
        return issubclass(cls, random.Random)

    is_generator = claims

    def generator_state(self, generator: random.Random) -> Any:
        """Return the numbers that it holds."""
        return generator.getstate()

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        """Return what finds the numbers; without copies, there is nothing to look at."""
        return _generator_parts if as_pickled else no_parts

    def rng_state(self) -> dict[str, Any]:
        """Return the state of the module `random`."""
        return {self.name: random.getstate()}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        """Set the state of the module `random`."""
        random.setstate(state[self.name])


def _generator_parts(generator: random.Random) -> list[Part]:
    return [(".state", generator.getstate())]
