"""A run goes on by the path it began on: C, NumPy or autograd, whatever is set now."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments

CASE = ("ppo", "CartPole-v1", "fragment")
N_EPOCHS = 3


@pytest.mark.parametrize("fast_path", ["0", "1", "numpy"])
def test_resumed_run_goes_on_by_the_path_it_began_on(fast_path, tmp_path, monkeypatch):
    monkeypatch.setenv("GARAGE_LIKE_FAST_PATH", fast_path)
    straight = experiments.train(tmp_path / "straight", CASE, N_EPOCHS)
    experiments.train(tmp_path / "stopped", CASE, 1)
    monkeypatch.setenv("GARAGE_LIKE_FAST_PATH", "1" if fast_path == "0" else "0")
    assert experiments.resume(tmp_path / "stopped", "last", N_EPOCHS) == straight
