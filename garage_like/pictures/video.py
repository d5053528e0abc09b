"""VideoFile: frames become an mp4 file, on a machine without a screen.

PyAV brings ffmpeg's libraries along (the extra `video`); it is loaded with the first frame.
"""

from __future__ import annotations

import importlib
import importlib.util
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from garage_like.errors import install_hint
from garage_like.logging.log_files import check_replaceable

DEFAULT_FPS = 30.0
FORMATS = (".mp4", ".mkv", ".mov")


class VideoFile:
    """Write frames one by one; the file is there whole, or not at all.

    Args:
        path: ends in `.mp4`, `.mkv` or `.mov`.
        fps: frames for one second.

    Raises:
        ImportError: if PyAV is not installed.
        ValueError: if the name ends otherwise, or the frame rate is not positive.
    """

    def __init__(self, path: Path, fps: float = DEFAULT_FPS) -> None:
        check_video_support()
        if path.suffix.lower() not in FORMATS:
            raise ValueError(f"a video must end in {', '.join(FORMATS)}; got {str(path)!r}")
        if not fps > 0:
            raise ValueError(f"VideoFile: fps must be positive, got {fps!r}")
        self._path = path
        self._draft = path.with_name(f".{path.stem}.draft{path.suffix}")
        self._fps = Fraction(fps).limit_denominator(1000)
        self._container: Any = None
        self._stream: Any = None
        self._shape: tuple[int, ...] = ()

    def add(self, frame: np.ndarray) -> None:
        """Append a frame of shape (H, W, 3), uint8; all have the size of the first.

        Raises:
            ValueError: if it is no such frame.
        """
        frame = np.asarray(frame)
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(
                f"VideoFile: a frame must be an array of shape (H, W, 3), uint8; got {frame.shape},"
                f" {frame.dtype}"
            )
        # H.264 takes even sizes alone.
        frame = np.pad(frame, [(0, n % 2) for n in frame.shape[:2]] + [(0, 0)], mode="edge")
        if self._container is None:
            self._open(frame)
        if frame.shape != self._shape:
            raise ValueError(f"VideoFile: frames of {self._shape} were begun, got {frame.shape}")
        av = importlib.import_module("av")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        self._container.mux(self._stream.encode(picture))

    def _open(self, frame: np.ndarray) -> None:
        self._shape = frame.shape
        check_replaceable(self._path)
        self._container = importlib.import_module("av").open(str(self._draft), "w")
        self._stream = self._container.add_stream("libx264", rate=self._fps)
        self._stream.height, self._stream.width = frame.shape[:2]
        self._stream.pix_fmt = "yuv420p"  # all players read this one

    def close(self, *, keep: bool = True) -> None:
        """Finish the file, or throw it away; without a frame there is none."""
        if self._container is None:
            return
        if keep:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        self._container = None
        if keep:
            self._draft.replace(self._path)
        else:
            self._draft.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file; after an error, throw it away."""
        self.close(keep=error is None)


def check_video_support() -> None:
    """Raise ImportError if PyAV is not installed."""
    if importlib.util.find_spec("av") is None:
        raise ImportError(f"videos: PyAV is not installed; {install_hint('video')}", name="av")
