"""No run ends because nobody takes what it prints, or because it logs a text of any length."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("nobody_listens.py")
KINDS = ("torch_PPO", "torch_DQN", "tf_PPO", "jax_PPO", "sb3", "epochs")
N_EPOCHS = 4
EXPECTED = {
    "reader ends": (0, N_EPOCHS),
    "reader ends, Ctrl-C": (130, 2),
    "full disk": (0, N_EPOCHS),
    "closed": (0, N_EPOCHS),
    "text": (0, N_EPOCHS),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_way_in_which_output_ends_ends_training(kind, tmp_path):
    if kind == "sb3" and importlib.util.find_spec("stable_baselines3") is None:
        pytest.skip("needs Stable-Baselines3")
    done = subprocess.run(
        [sys.executable, SCRIPT, kind],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = {one["way"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert found.keys() == EXPECTED.keys(), done.stderr
    for way, (status, rows) in EXPECTED.items():
        one = found[way]
        assert (one["told"], one["rows"]) == (status, rows), (way, one["told"])
        assert one["last"] == [f"epoch_{rows - 1:06d}"], way
