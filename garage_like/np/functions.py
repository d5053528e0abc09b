"""Small functions on arrays that programs written for garage call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_Nested = Any  # an array, or a dict of such


def discount_cumsum(x: np.ndarray, discount: float) -> np.ndarray:
    """Compute y_t = x_t + discount * y_{t+1} along the first axis."""
    sums = np.array(x, np.result_type(x, np.float64))
    for row in range(len(sums) - 2, -1, -1):
        sums[row] += discount * sums[row + 1]
    return sums


def explained_variance_1d(
    ypred: np.ndarray, y: np.ndarray, valids: np.ndarray | None = None
) -> float:
    """Compute 1 - Var(y - ypred) / Var(y): 1 is perfect, 0 as good as the mean.

    Args:
        ypred: shape (N,).
        y: shape (N,).
        valids: shape (N,), which of them count; None for all.
    """
    if valids is not None:
        ypred, y = ypred[valids.astype(bool)], y[valids.astype(bool)]
    variance = np.var(y)
    if np.isclose(variance, 0):
        return 0.0 if np.var(ypred) > 0 else 1.0
    return float(1.0 - np.var(y - ypred) / (variance + 1e-8))


def rrse(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Compute the root of the squared error relative to that of the mean."""
    return float(np.sqrt(np.sum((actual - predicted) ** 2) / np.sum((actual - actual.mean()) ** 2)))


def flatten_tensors(tensors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the numbers of all arrays as one vector."""
    return np.concatenate([np.reshape(t, -1) for t in tensors]) if len(tensors) else np.array([])


def unflatten_tensors(
    flattened: np.ndarray, tensor_shapes: Sequence[tuple[int, ...]]
) -> list[np.ndarray]:
    """Cut a vector into arrays of given shapes."""
    ends = np.cumsum([int(np.prod(shape)) for shape in tensor_shapes])
    parts = np.split(flattened, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, tensor_shapes, strict=True)]


def pad_batch_array(
    array: np.ndarray, lengths: np.ndarray, max_length: int | None = None
) -> np.ndarray:
    """Lay S rows out as episodes, shape (N, T, ...); zeros follow an episode's end.

    Args:
        array: shape (S, ...).
        lengths: shape (N,), of the episodes.
        max_length: T; None for that of the longest.
    """
    width = int(max(lengths)) if max_length is None else max_length
    padded = np.zeros((len(lengths), width, *array.shape[1:]), array.dtype)
    padded[np.arange(width) < np.asarray(lengths)[:, None]] = array
    return padded


def pad_tensor(x: np.ndarray, max_len: int, mode: str = "zero") -> np.ndarray:
    """Append rows until there are `max_len`: of zeros, or with mode 'last' of the last one."""
    width = [(0, max_len - len(x)), *[(0, 0)] * (np.ndim(x) - 1)]
    return np.pad(x, width, mode="edge" if mode == "last" else "constant")


def pad_tensor_n(xs: Sequence[np.ndarray], max_len: int) -> np.ndarray:
    """Lay arrays out one above the other, each with zeros up to `max_len` rows."""
    return np.array([pad_tensor(x, max_len) for x in xs])


def pad_tensor_dict(
    tensor_dict: Mapping[str, _Nested], max_len: int, mode: str = "zero"
) -> dict[str, _Nested]:
    """Do what `pad_tensor` does with each array of a (nested) dict."""
    return {
        key: pad_tensor_dict(value, max_len, mode)
        if isinstance(value, Mapping)
        else pad_tensor(value, max_len, mode)
        for key, value in tensor_dict.items()
    }


def stack_tensor_dict_list(tensor_dict_list: Sequence[Mapping[str, _Nested]]) -> dict[str, _Nested]:
    """Make one (nested) dict of arrays of several dicts; those without a key add nothing to it."""
    return _together(tensor_dict_list, np.array)


def concat_tensor_dict_list(
    tensor_dict_list: Sequence[Mapping[str, _Nested]],
) -> dict[str, _Nested]:
    """Join the arrays of several (nested) dicts; those without a key add nothing to it."""
    return _together(tensor_dict_list, np.concatenate)


def stack_and_pad_tensor_dict_list(
    tensor_dict_list: Sequence[Mapping[str, _Nested]], max_len: int
) -> dict[str, _Nested]:
    """Do what `stack_tensor_dict_list` does with arrays padded to `max_len` rows."""
    return stack_tensor_dict_list([pad_tensor_dict(path, max_len) for path in tensor_dict_list])


def truncate_tensor_dict(
    tensor_dict: Mapping[str, _Nested], truncated_len: int
) -> dict[str, _Nested]:
    """Keep the first rows of each array of a (nested) dict."""
    kept: dict[str, _Nested] = slice_nested_dict(tensor_dict, 0, truncated_len)
    return kept


def slice_nested_dict(dict_or_array: _Nested, start: int, stop: int) -> _Nested:
    """Take rows out of an array, or of each array of a (nested) dict."""
    if isinstance(dict_or_array, Mapping):
        return {key: slice_nested_dict(v, start, stop) for key, v in dict_or_array.items()}
    return dict_or_array[start:stop]


class WindowTooLongError(ValueError, NotImplementedError):
    """A window is longer than what it slides along; garage calls that not implemented."""


def sliding_window(t: np.ndarray, window: int, smear: bool = False) -> np.ndarray:
    """Return what a window sees that slides along the first axis.

    Args:
        t: shape (N, ...).
        window: its length.
        smear: repeat the first row before the beginning, so that there are N windows.

    Returns:
        Shape (N - window + 1, window, ...), or (N, window, ...).

    Raises:
        WindowTooLongError: a ValueError, if the window is longer than what there is.
    """
    if window > len(t):
        raise WindowTooLongError(f"sliding_window: window={window} is longer than {len(t)} rows")
    if smear:
        t = np.concatenate([np.repeat(t[:1], window - 1, axis=0), t])
    return np.array([t[start : start + window] for start in range(len(t) - window + 1)])


def _together(dicts: Sequence[Mapping[str, _Nested]], join: Any) -> dict[str, _Nested]:
    return {
        key: _together([d.get(key, {}) for d in dicts], join)
        if isinstance(value, Mapping)
        else join([d[key] for d in dicts if key in d])
        for key, value in {k: v for d in dicts for k, v in d.items()}.items()
    }
