"""Agents that come with the repository do what their cards say, and no file of them is code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from garage_like import obtain_evaluation_episodes
from garage_like.experiment.deterministic import set_seed
from garage_like.tuned import Settings, load_agent, save_agent, train

ROOT = Path(__file__).parents[2]
AGENTS = sorted((ROOT / "data" / "agents").iterdir())
CARTPOLE = ROOT / "data" / "agents" / "PPO_CartPole-v1"


@pytest.mark.parametrize("folder", AGENTS, ids=lambda folder: folder.name)
def test_an_agent_reaches_what_is_said_of_it(folder):
    if "-v5" in folder.name:
        pytest.importorskip("mujoco")
    told = json.loads((folder / "agent.json").read_text())
    assert {path.name for path in folder.iterdir()} == {"agent.json", "policy.safetensors"}
    policy, env = load_agent(folder)
    set_seed(7)
    episodes = obtain_evaluation_episodes(policy, env, num_eps=5)
    mean = np.mean([rewards.sum() for rewards in episodes.padded_rewards])
    spread = max(told["std"], 0.02 * abs(told["return"]))
    assert abs(mean - told["return"]) <= 3 * spread


def test_what_is_saved_acts_as_the_run_does(tmp_path):
    settings = Settings.find("PPO", "CartPole-v1").but(
        {"train.n_epochs": 1, "train.batch_size": 64}
    )
    run = train(settings, log_dir=tmp_path / "run", console=False)
    save_agent(Path(run), tmp_path / "agent", settings, {"return": 9.0}, "last")
    assert json.loads((tmp_path / "agent" / "agent.json").read_text())["return"] == 9.0
    from garage_like import load_policy

    policy, _ = load_agent(tmp_path / "agent")
    observation = np.array([0.1, 0.2, -0.1, 0.0], np.float32)
    mine, its = (p.get_action(observation)[1] for p in (policy, load_policy(run)))
    np.testing.assert_array_equal(mine["logits"], its["logits"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"environment": "os:Env-v0"}, "expected a trained agent"),
        ({"settings": None}, "expected a trained agent"),
        ({"algorithm": "Evil"}, "no settings for the algorithm"),
        ({"settings": {}}, "no trained agent: 'n_epochs'"),
        ({"settings": {"train.n_epochs": 1, "train.batch_size": 9}}, "size mismatch|Unexpected"),
    ],
)
def test_what_is_no_agent_is_refused(tmp_path, change, message):
    told = json.loads((CARTPOLE / "agent.json").read_text())
    (tmp_path / "agent.json").write_text(json.dumps({**told, **change}))
    (tmp_path / "policy.safetensors").write_bytes((CARTPOLE / "policy.safetensors").read_bytes())
    with pytest.raises(ValueError, match=message):
        load_agent(tmp_path)


@pytest.mark.parametrize("weights", [None, b"", b"no arrays"])
def test_weights_that_are_missing_or_none_are_refused(tmp_path, weights):
    (tmp_path / "agent.json").write_bytes((CARTPOLE / "agent.json").read_bytes())
    if weights is not None:
        (tmp_path / "policy.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match="no trained agent"):
        load_agent(tmp_path)


def test_the_example_plays_one(tmp_path):
    script = ROOT / "examples" / "torch" / "trained_agent.py"
    command = [sys.executable, str(script), str(CARTPOLE), "--episodes", "2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert "500.0 on average" in ran.stdout, ran.stderr
