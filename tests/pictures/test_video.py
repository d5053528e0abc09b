"""VideoFile: a video that other programs read."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from garage_like.pictures.video import VideoFile

pytestmark = pytest.mark.skipif(find_spec("av") is None, reason="needs the extra video")


def film(path, frames, fps=25):
    with VideoFile(path, fps) as video:
        for frame in frames:
            video.add(frame)


def test_frames_come_out_as_they_went_in(tmp_path, frames_of):
    grays = [np.full((64, 96, 3), level, np.uint8) for level in (0, 90, 180, 250)]
    film(tmp_path / "v.mp4", grays)
    frames, fps = frames_of(tmp_path / "v.mp4")
    assert fps == 25
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 4
    assert [round(float(frame.mean()), -1) for frame in frames] == [0, 90, 180, 250]


def test_odd_sizes_are_padded_since_h264_takes_none(tmp_path, frames_of):
    film(tmp_path / "v.mp4", [np.zeros((33, 51, 3), np.uint8)])
    assert frames_of(tmp_path / "v.mp4")[0][0].shape == (34, 52, 3)


def test_an_error_leaves_no_file(tmp_path):
    with pytest.raises(KeyError), VideoFile(tmp_path / "v.mp4") as video:  # noqa: PT012
        video.add(np.zeros((16, 16, 3), np.uint8))
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_without_frames_there_is_no_file(tmp_path):
    film(tmp_path / "v.mp4", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "frame", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), None]
)
def test_what_is_no_frame_is_refused(tmp_path, frame):
    with pytest.raises(ValueError, match=r"a frame must be an array of shape \(H, W, 3\), uint8"):
        film(tmp_path / "v.mp4", [frame])


def test_frames_of_another_size_are_refused(tmp_path):
    frames = [np.zeros((n, 16, 3), np.uint8) for n in (16, 32)]
    with pytest.raises(ValueError, match=r"frames of \(16, 16, 3\) were begun, got \(32, 16, 3\)"):
        film(tmp_path / "v.mp4", frames)


def test_bad_names_and_rates_are_refused():
    with pytest.raises(ValueError, match=r"a video must end in \.mp4, \.mkv, \.mov; got 'v\.gif'"):
        VideoFile(Path("v.gif"))
    with pytest.raises(ValueError, match="fps must be positive, got 0"):
        VideoFile(Path("v.mp4"), 0)


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install '\.\[video\]'"):
        VideoFile(Path("v.mp4"))
