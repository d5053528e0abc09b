"""Weights of libraries in torch act the same in TensorFlow, and weights of ours go across."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.errors import MigrationError
from garage_like.interop import migrate
from garage_like.replay_buffer import PathBuffer
from garage_like.tf.algos import DDPG
from garage_like.tf.baselines import GaussianMLPBaseline
from garage_like.tf.policies import ContinuousMLPPolicy, GaussianMLPPolicy
from garage_like.tf.q_functions import ContinuousMLPQFunction
from garage_like.torch.policies import GaussianMLPPolicy as TorchGaussianMLPPolicy

DATA = Path(__file__).parent / "data"
OBSERVATIONS = spaces.Box(-np.inf, np.inf, (3,), np.float32)
SPEC = EnvSpec(OBSERVATIONS, spaces.Box(-2.0, 2.0, (2,), np.float32), max_episode_length=9)
SIZES = (16, 16)


def recorded(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.actions.npz") as file:
        return dict(file)


def close(found: object, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("parameterization", ["exp", "softplus"])
@pytest.mark.parametrize("file", ["sb3_ppo.zip", "skrl_ppo.pt"])
def test_k13_policies_of_torch_libraries_act_the_same_in_tensorflow(
    file: str, parameterization: str
) -> None:
    policy = GaussianMLPPolicy(SPEC, hidden_sizes=SIZES, std_parameterization=parameterization)
    report, there = migrate(policy, DATA / file), recorded(file.split(".")[0])
    _, infos = policy.get_actions(there["normalized"])
    close(infos["mean"], there["actions"])
    close(np.exp(infos["log_std"][0]), there["std"])
    assert report.kept == ()


def test_k13_a_baseline_in_tensorflow_gives_the_same_values() -> None:
    baseline, there = GaussianMLPBaseline(SPEC, hidden_sizes=SIZES), recorded("sb3_ppo")
    migrate(baseline, DATA / "sb3_ppo.zip")
    close(np.ravel(baseline(there["normalized"])), there["values"])


def test_k13_an_algorithm_in_tensorflow_gets_everything() -> None:
    policy = ContinuousMLPPolicy(SPEC, hidden_sizes=SIZES)
    qf = ContinuousMLPQFunction(SPEC, hidden_sizes=SIZES)
    algo = DDPG(SPEC, policy, qf, PathBuffer(10), exploration_policy=None, min_buffer_size=1)
    report, there = migrate(algo, DATA / "sb3_ddpg.zip"), recorded("sb3_ddpg")
    values = qf(there["observations"], there["actions"] / np.float32(2.0))
    close(np.ravel(values), there["q1"])
    assert report.kept == report.unused == ()


def test_k13_weights_go_from_torch_to_tensorflow_and_back() -> None:
    first, second = (TorchGaussianMLPPolicy(SPEC, hidden_sizes=SIZES) for _ in range(2))
    policy = GaussianMLPPolicy(SPEC, hidden_sizes=SIZES)
    migrate(policy, first.state_dict())
    rows = np.ones((4, 3), np.float32)
    close(policy.get_actions(rows)[1]["mean"], first.get_actions(rows)[1]["mean"])
    kernels = {f"mlp.layers.{i}.weight": layer.weight for i, layer in enumerate(policy.mlp.layers)}
    biases = {f"mlp.layers.{i}.bias": layer.bias for i, layer in enumerate(policy.mlp.layers)}
    migrate(second, {**kernels, **biases, "std_parameter": policy.std_parameter})
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_k13_a_policy_in_tensorflow_is_untouched_on_failure() -> None:
    policy = GaussianMLPPolicy(SPEC, hidden_sizes=(16, 8))
    before = policy.get_param_values()
    with pytest.raises(MigrationError, match=r"mlp\.layers\.1\.weight"):
        migrate(policy, DATA / "sb3_ppo.zip")
    np.testing.assert_array_equal(policy.get_param_values(), before)
