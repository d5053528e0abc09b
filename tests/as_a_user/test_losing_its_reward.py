"""A reward that is NaN ends any algorithm at once, and the snapshot that is left goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("losing_its_reward.py")
NAMES = [
    *(f"np_{name}" for name in ("CEM", "CMAES", "QLearning", "SARSA")),
    *(f"torch_{name}" for name in ("DQN", "DDPG", "TD3", "SAC", "TQC", "PPO", "TRPO", "VPG")),
    *(f"torch_{name}" for name in ("A2C", "DDQN", "DiscreteSAC", "MTSAC", "PEARL", "AMP")),
    *(f"torch_{name}" for name in ("MAMLPPO", "MAMLTRPO", "MAMLVPG")),
    *(f"tf_{name}" for name in ("DQN", "DDQN", "DDPG", "TD3", "PPO", "TRPO", "VPG", "NPO")),
    *(f"tf_{name}" for name in ("TNPG", "ERWR", "REPS", "RL2PPO", "RL2TRPO", "TENPO", "TEPPO")),
    *(f"jax_{name}" for name in ("DQN", "PPO", "SAC")),
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, SCRIPT, *NAMES],
        cwd=tmp_path_factory.mktemp("losing"),
        env={**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    found = map(json.loads, done.stdout.splitlines())
    return {one["name"]: one for one in found}, done.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("losing_its_reward")
@pytest.mark.parametrize("name", NAMES)
def test_a_reward_that_is_nan_ends_training_and_what_is_left_goes_on(name, outcomes):
    found, errors = outcomes
    assert name in found, errors
    outcome = found[name]
    algorithm = name.partition("_")[2]
    told = f"ValueError: {algorithm}: a reward is nan; expected a finite number"
    assert outcome["said"].startswith(told)
    assert outcome["spoiled"] == outcome["spoiled_after"] == []
    assert outcome["went_on_to"] == outcome["epoch"] + 2
