"""Reading files of torch.save without running code: tensors, containers and plain numbers only."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.errors import install_hint

_CODECS = ("_codecs.encode",)


class _DType:
    """The type of a number that NumPy saved among tensors."""

    def __init__(self, code: str, *_: Any) -> None:
        self.dtype = np.dtype(code)
        if self.dtype.kind not in "biufc":
            raise ValueError(f"expected a number, found {self.dtype}")

    def __setstate__(self, state: Any) -> None:
        """Take the byte order."""
        if state[1] in "<>":
            self.dtype = self.dtype.newbyteorder(state[1])


def _make_dtype(code: str, *_: Any) -> _DType:
    return _DType(code)


def _make_scalar(dtype: _DType, content: bytes) -> Any:
    return np.frombuffer(content, dtype.dtype)[0].item()


def _encode(text: str, _: str = "latin1") -> bytes:
    return text.encode("latin1")


def load_torch(source: Path | bytes, name: str) -> Any:
    """Return what a file of `torch.save` holds, on the CPU.

    Args:
        source: the file, or its content.
        name: what messages call it.

    Raises:
        ValueError: if it is none, is damaged, or holds what only code could build.
        ModuleNotFoundError: if torch is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{name} was written by torch, and reading it takes torch: {install_hint('torch')}"
        ) from error
    # rl_games and others save numbers of NumPy beside tensors. They are made by functions of this
    # module, which know numbers alone; torch's own list lets none of NumPy's through.
    numbers: list[Any] = [
        (_make_dtype, "numpy.dtype"),
        (_make_scalar, "numpy.core.multiarray.scalar"),
        (_make_scalar, "numpy._core.multiarray.scalar"),
        (_encode, *_CODECS),
        _DType,
    ]
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with torch.serialization.safe_globals(numbers):
            return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if named is None:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"{name}: no file of torch.save, or damaged ({first})") from error
        raise ValueError(
            f"{name}: torch cannot load it without running code, as it holds a {named[1]}; save a"
            " state dict, and nothing else, with torch.save"
        ) from error
