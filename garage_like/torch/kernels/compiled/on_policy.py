"""An update of VPG, PPO or their value function, taken whole by the library."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence

import numpy as np

from garage_like.np.compiled.binding import (
    CATEGORICAL,
    GAUSSIAN,
    VALUE,
    OnPolicy,
    shape_of,
    steps,
)
from garage_like.torch.kernels.compiled.moved import optimizer_of, place_of
from garage_like.torch.kernels.policy_gradient import (
    CategoricalHead,
    GaussianHead,
    PolicyGradient,
    ValueGradient,
)
from garage_like.torch.optimizers.flat_adam import FlatAdam


class Update:
    """Takes all gradient steps of an update in one call: a `WholeUpdate`.

    Args:
        gradient: of the loss.
        flat: moves the parameters.
    """

    def __init__(self, gradient: PolicyGradient | ValueGradient, flat: FlatAdam) -> None:
        self._gradient, self._flat = gradient, flat

    def take(
        self, orders: Sequence[np.ndarray | None], pieces: int, arrays: Sequence[np.ndarray]
    ) -> bool:
        """Take the steps; False, with nothing changed, if they must be taken one by one."""
        library, asked, rows = steps(), self._asked(), len(arrays[0])
        if library is None or asked is None or not rows:
            return False
        names = ["observations", "wanted"]
        if asked.head != VALUE:
            names = ["observations", "actions", "wanted", "old_log_probs"]
        columns = dict(zip(names, map(np.ascontiguousarray, arrays), strict=True))
        if not _are_readable(asked, columns, rows):
            return False
        for name, array in columns.items():
            setattr(asked, name, array.ctypes.data)
        order = np.concatenate([np.arange(rows) if one is None else one for one in orders])
        asked.order, asked.rows = order.ctypes.data, rows
        asked.passes, asked.pieces = len(orders), pieces
        library.on_policy(ctypes.byref(asked))
        self._flat.step_counts += asked.passes * asked.pieces
        return True

    def _asked(self) -> OnPolicy | None:
        """Return what the library is to do, but for the data; None if it cannot."""
        gradient, flat = self._gradient, self._flat
        place = place_of(gradient.network, flat)
        optimizer = optimizer_of(flat)
        if place is None or optimizer is None:
            return None
        shape = shape_of(gradient.network.widths, gradient.network.is_tanh)
        if shape is None:
            return None
        asked = OnPolicy(shape, *optimizer, network=place, log_std=-1, clip_range=-1.0)
        if isinstance(gradient, ValueGradient):
            asked.head = VALUE
            _place_log_std(asked, gradient.log_std, gradient.learns_log_std, flat)
            return asked
        asked.entropy_coefficient = gradient.entropy_coefficient
        if gradient.clip_range is not None:
            asked.clip_range = gradient.clip_range
        head = gradient.head
        if isinstance(head, GaussianHead) and head.parameter.size == shape.widths[shape.layers]:
            asked.head, asked.lowest, asked.highest = GAUSSIAN, head.lowest, head.highest
            _place_log_std(asked, head.parameter, head.learns, flat)
            return asked
        asked.head = CATEGORICAL
        return asked if type(head) is CategoricalHead else None


def _are_readable(asked: OnPolicy, columns: Mapping[str, np.ndarray], rows: int) -> bool:
    """Tell whether arrays are what the library reads: it does not look before it leaps."""
    outputs = asked.shape.widths[asked.shape.layers]
    is_discrete = asked.head == CATEGORICAL
    shapes = {"observations": (rows, asked.shape.widths[0])}
    if asked.head == GAUSSIAN:
        shapes["actions"] = (rows, outputs)
    for name, array in columns.items():
        dtype = np.int64 if name == "actions" and is_discrete else np.float32
        if array.dtype != dtype or array.shape != shapes.get(name, (rows,)):
            return False
    if not is_discrete:
        return True
    actions = columns["actions"]
    return bool(actions.min() >= 0 and actions.max() < outputs)


def _place_log_std(asked: OnPolicy, log_std: np.ndarray, learns: bool, flat: FlatAdam) -> None:
    if learns:
        asked.log_std = (log_std.ctypes.data - flat.parameters.data_ptr()) // 4
    else:
        asked.fixed_log_std = log_std.ctypes.data
