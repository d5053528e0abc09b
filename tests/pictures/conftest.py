import pytest


@pytest.fixture
def frames_of():
    """Return a function that reads a video: its frames, and how many there are in a second."""
    av = pytest.importorskip("av", reason="needs the extra video")

    def read(path):
        with av.open(str(path)) as container:
            [stream] = container.streams.video
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
            return frames, float(stream.average_rate)

    return read
