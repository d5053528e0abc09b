"""Keras: models, layers, optimizers and metrics; what does the work is in `keras_objects`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from garage_like.snapshot.kinds import keras_objects
from garage_like.snapshot.kinds.attributes import PartsFunction
from garage_like.snapshot.kinds.kind import Kind, Pickling, Reducer


class KerasKind(Kind):
    """Keras on TensorFlow; its random numbers are saved with those of TensorFlow."""

    name = "keras"
    modules = ("keras",)
    versions = ("keras",)
    recursion = 8_000  # each layer of a functional model lies within the one before it

    def claims(self, cls: type) -> bool:
        return keras_objects.kind_of(cls) is not None

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        return keras_objects.reducer_for(cls) if "tensorflow" in sys.modules else None

    def kept_when_emptied(self, value: Any) -> Mapping[str, Any]:
        return keras_objects.kept_when_emptied(value)

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return keras_objects.parts
