"""FlatVariables: TensorFlow's variables copied into one vector, as the library in C takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from garage_like.tf.modules.initializers import as_array
from garage_like.tf.quiet_import import tf


class FlatVariables:
    """Hold copies of variables one after another; weights are turned, to (outputs, inputs).

    Neither side notices when the other one is changed: `read` and `write` copy.

    Args:
        variables: weights, shape (inputs, outputs), and biases; or slots of such.

    Attributes:
        vector: all numbers, shape (P,), float32.
    """

    def __init__(self, variables: Sequence[tf.Variable]) -> None:
        self._variables = list(variables)
        sizes = [math.prod(variable.shape) for variable in variables]
        self.vector = np.empty(sum(sizes), np.float32)
        pieces = np.split(self.vector, np.cumsum(sizes)[:-1])
        self._views = [
            piece.reshape(tuple(variable.shape)[::-1]).T
            for piece, variable in zip(pieces, variables, strict=True)
        ]
        self._found: list[np.ndarray] = []
        self.read()

    def read(self) -> None:
        """Take over what the variables are."""
        self._found = [as_array(variable) for variable in self._variables]
        for view, array in zip(self._views, self._found, strict=True):
            view[...] = array

    def write(self) -> None:
        """Let the variables be what the vector is."""
        # Copies, as TensorFlow shares an array's memory where that happens to be aligned.
        for variable, copy in zip(self._variables, self.copies(), strict=True):
            tf.raw_ops.AssignVariableOp(resource=variable.handle, value=copy)

    def is_out_of_date(self) -> bool:
        """Tell whether a variable is no longer what was read last."""
        return any(
            as_array(variable).tobytes() != array.tobytes()
            for variable, array in zip(self._variables, self._found, strict=True)
        )

    def copies(self) -> list[np.ndarray]:
        """Return copies of the numbers in the shapes of the variables, in C's order."""
        return [view.copy("C") for view in self._views]
