"""What the installed Stable-Baselines3 and skrl write today acts the same here."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.interop import migrate
from garage_like.torch.policies import (
    DeterministicMLPPolicy,
    DiscreteQFArgmaxPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import DiscreteMLPQFunction

MAKE = Path(__file__).parent / "data" / "make.py"
SPEC = EnvSpec(
    spaces.Box(-np.inf, np.inf, (3,), np.float32),
    spaces.Box(-2.0, 2.0, (2,), np.float32),
    max_episode_length=9,
)
POLICIES = {
    "sb3_sac.zip": TanhGaussianMLPPolicy,
    "sb3_td3.zip": DeterministicMLPPolicy,
    "sb3_ddpg.zip": DeterministicMLPPolicy,
    "sb3_ppo.zip": GaussianMLPPolicy,
    "skrl_ppo.pt": GaussianMLPPolicy,
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("stable_baselines3") is None or find_spec("skrl") is None,
        reason="needs pip install '.[peers]': Stable-Baselines3 and skrl",
    ),
    pytest.mark.xdist_group("real_libraries"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the libraries make their checkpoints again."""
    directory = tmp_path_factory.mktemp("made")
    subprocess.run(
        [sys.executable, "-W", "ignore", str(MAKE), str(directory)],
        cwd=directory,
        check=True,
        timeout=300,
    )
    return directory


@pytest.mark.parametrize("file", POLICIES)
def test_k13_the_same_observation_in_gives_the_same_action_out(file: str, made: Path) -> None:
    policy = POLICIES[file](SPEC, hidden_sizes=(16, 16))
    report = migrate(policy, made / file)
    with np.load(made / f"{file.split('.')[0]}.actions.npz") as there:
        observations, expected = there["observations"], there["actions"]
    if report.observation_statistics is not None:
        observations = report.observation_statistics.normalize(observations)
    actions, infos = policy.get_actions(observations)
    np.testing.assert_allclose(infos.get("mean", actions), expected, rtol=1e-5, atol=2e-6)


def test_k13_dqn_takes_the_same_actions(made: Path) -> None:
    spec = EnvSpec(SPEC.observation_space, spaces.Discrete(4), max_episode_length=9)
    policy = DiscreteQFArgmaxPolicy(DiscreteMLPQFunction(spec, hidden_sizes=(16, 16)), spec)
    migrate(policy, made / "sb3_dqn.zip")
    with np.load(made / "sb3_dqn.actions.npz") as there:
        actions, _ = policy.get_actions(there["observations"])
        np.testing.assert_array_equal(actions, there["actions"])
