"""Weights of other libraries act here as they acted there; what does not fit changes nothing.

The checkpoints in data/ were made by the real libraries, with the actions that they chose: see
data/make.py.
"""

import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from safetensors.torch import save_file
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv, NormalizedEnv
from garage_like.errors import MigrationError
from garage_like.interop import MigrationReport, migrate, read_vec_normalize
from garage_like.interop.weights import assign, components_of
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.torch.algos import DQN, PPO, SAC, TD3, TQC
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicMLPPolicy,
    DiscreteQFArgmaxPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import (
    ContinuousMLPQFunction,
    DiscreteMLPQFunction,
    QuantileMLPQFunction,
)
from garage_like.torch.value_functions import GaussianMLPValueFunction

DATA = Path(__file__).parent / "data"
OBSERVATIONS = spaces.Box(-np.inf, np.inf, (3,), np.float32)
BOX = EnvSpec(OBSERVATIONS, spaces.Box(-2.0, 2.0, (2,), np.float32), max_episode_length=9)
DISCRETE = EnvSpec(OBSERVATIONS, spaces.Discrete(4), max_episode_length=9)
SIZES = (16, 16)


def recorded(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.actions.npz") as file:
        return dict(file)


def most_likely(policy: Any, observations: np.ndarray) -> np.ndarray:
    actions, infos = policy.get_actions(observations)
    return infos.get("mean", actions)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def state(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy().copy() for name, tensor in module.state_dict().items()}


def unchanged(module: nn.Module, before: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(array, before[name]) for name, array in state(module).items())


def sac() -> SAC:
    policy = TanhGaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    qfs = [ContinuousMLPQFunction(BOX, hidden_sizes=SIZES) for _ in range(2)]
    return SAC(BOX, policy, *qfs, PathBuffer(10), min_buffer_size=1)


POLICIES = {
    "sb3_sac": TanhGaussianMLPPolicy,
    "sb3_td3": DeterministicMLPPolicy,
    "sb3_ddpg": DeterministicMLPPolicy,
}


@pytest.mark.parametrize("name", POLICIES)
def test_k13_policies_of_stable_baselines3_act_the_same(name: str) -> None:
    policy = POLICIES[name](BOX, hidden_sizes=SIZES)
    migrate(policy, DATA / f"{name}.zip")
    there = recorded(name)
    close(most_likely(policy, there["observations"]), there["actions"])


def test_k13_dqn_of_stable_baselines3_acts_the_same() -> None:
    qf = DiscreteMLPQFunction(DISCRETE, hidden_sizes=SIZES)
    policy = DiscreteQFArgmaxPolicy(qf, DISCRETE)
    migrate(policy, DATA / "sb3_dqn.zip")
    there = recorded("sb3_dqn")
    np.testing.assert_array_equal(policy.get_actions(there["observations"])[0], there["actions"])
    close(qf(torch.from_numpy(there["observations"])).detach(), there["q1"])


@pytest.mark.parametrize("file", ["sb3_ppo.zip", "skrl_ppo.pt"])
def test_k13_statistics_of_observations_come_along(file: str) -> None:
    policy, there = GaussianMLPPolicy(BOX, hidden_sizes=SIZES), recorded(file.split(".")[0])
    report = migrate(policy, DATA / file)
    assert report.observation_statistics is not None
    seen = report.observation_statistics.normalize(there["observations"])
    close(seen, there["normalized"])
    _, infos = policy.get_actions(seen)
    close(infos["mean"], there["actions"])
    close(np.exp(infos["log_std"][0]), there["std"])


@pytest.mark.parametrize("file", ["sb3_ppo.zip", "skrl_ppo.pt"])
def test_k13_value_functions_give_the_same_values(file: str) -> None:
    value_function = GaussianMLPValueFunction(BOX, hidden_sizes=SIZES)
    there = recorded(file.split(".")[0])
    report = migrate(value_function, DATA / file)
    close(value_function(torch.from_numpy(there["normalized"])).detach(), there["values"])
    assert report.kept == ("log_std",)


@pytest.mark.parametrize("parameterization", ["exp", "softplus"])
def test_k13_a_deviation_is_the_same_however_it_is_parameterized(parameterization: Any) -> None:
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES, std_parameterization=parameterization)
    migrate(policy, DATA / "sb3_ppo.zip")
    close(policy.log_std.exp().detach(), recorded("sb3_ppo")["std"])


def test_k13_a_whole_algorithm_gets_critics_targets_and_temperature() -> None:
    algo, there = sac(), recorded("sb3_sac")
    report = migrate(algo, DATA / "sb3_sac.zip")
    rows = torch.from_numpy(there["observations"])
    actions = torch.from_numpy(there["actions"] / 2.0)
    close(most_likely(algo.policy, there["observations"]), there["actions"])
    close(algo._qf1(rows, actions)[:, 0].detach(), there["q1"])
    close(algo._qf2(rows, actions)[:, 0].detach(), there["q2"])
    theirs = report.name_map
    assert theirs["target_qf2.mlp.output.weight"] == ("critic_target.qf1.4.weight",)
    assert theirs["temperature.log_alpha"] == ("pytorch_variables.log_ent_coef",)
    assert report.kept == report.unused == ()


def test_k13_target_networks_that_a_checkpoint_lacks_become_copies() -> None:
    actor = DeterministicMLPPolicy(BOX, hidden_sizes=SIZES)
    qfs = [ContinuousMLPQFunction(BOX, hidden_sizes=SIZES) for _ in range(2)]
    algo = TD3(BOX, actor, *qfs, PathBuffer(10), exploration_policy=None, min_buffer_size=1)
    source = {
        f"{part}.{name}": array
        for part, module in (("actor", actor), ("qf1", qfs[0]), ("qf2", qfs[1]))
        for name, array in state(module).items()
        if not name.startswith("action_")
    }
    source = {name: array + 1 for name, array in source.items()}
    migrate(algo, source)
    for target, online in ((algo._target_qf2, qfs[1]), (algo._target_policy, actor)):
        assert unchanged(target, state(online))
    np.testing.assert_array_equal(state(qfs[1])["mlp.output.bias"], source["qf2.mlp.output.bias"])


def test_k13_a_target_of_dqn_becomes_a_copy_of_what_the_policy_asks() -> None:
    qf = DiscreteMLPQFunction(DISCRETE, hidden_sizes=SIZES)
    policy = DiscreteQFArgmaxPolicy(qf, DISCRETE)
    algo = DQN(DISCRETE, policy, qf, PathBuffer(10), exploration_policy=None, min_buffer_size=1)
    report = migrate(algo, layers("network.0", "network.2", "network.4", sizes=(3, 16, 16, 4)))
    assert unchanged(algo._target_qf, state(qf))
    assert report.migrated[-1].how == "copy of policy.qf.mlp.output.bias"


def test_k13_each_critic_of_tqc_gets_its_own() -> None:
    policy = TanhGaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    qfs = [QuantileMLPQFunction(BOX, 5, hidden_sizes=SIZES) for _ in range(2)]
    algo = TQC(BOX, policy, qfs, PathBuffer(10), min_buffer_size=1)
    critics = [state(QuantileMLPQFunction(BOX, 5, hidden_sizes=SIZES)) for _ in range(2)]
    source = {
        f"critic.qf{place}.{name}": array
        for place, critic in enumerate(critics)
        for name, array in critic.items()
    }
    migrate(algo, source, allow_partial=True)
    for qf, critic in zip(qfs, critics, strict=True):
        assert unchanged(qf, critic)
    assert unchanged(algo._target_qfs[1], critics[1])


def test_k13_statistics_go_into_the_environments_of_an_algorithm() -> None:
    env = NormalizedEnv(GymEnv("Pendulum-v1"), normalize_obs=True)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=SIZES)
    critic = GaussianMLPValueFunction(env.spec, hidden_sizes=SIZES)
    algo = PPO(env.spec, policy, critic, LocalSampler(policy, env))
    report = migrate(algo, _ppo_for_one_action())
    statistics = read_vec_normalize(DATA / "sb3_ppo_vecnormalize.pkl")
    np.testing.assert_array_equal(env.observation_statistics, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert "NormalizedEnv of the sampler" in str(report)
    statistics.put_into(env)
    np.testing.assert_array_equal(env.observation_statistics[0], statistics.mean)


def _ppo_for_one_action() -> dict[str, Any]:
    """Arrange weights as rl_games does, with a trunk that actor and critic share."""
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
    heads = {"value": nn.Linear(16, 1), "mu": nn.Linear(16, 1)}
    weights = {f"a2c_network.actor_mlp.{name}": t for name, t in trunk.state_dict().items()}
    for head, layer in heads.items():
        weights |= {f"a2c_network.{head}.{name}": t for name, t in layer.state_dict().items()}
    statistics = {"running_mean": [1.0, 2.0, 3.0], "running_var": [4.0, 5.0, 6.0]}
    for name, values in statistics.items():
        weights[f"running_mean_std.{name}"] = torch.tensor(values, dtype=torch.float64)
        weights[f"value_mean_std.{name}"] = torch.tensor(values[:1], dtype=torch.float64)
    weights["a2c_network.sigma"] = torch.tensor([-0.5])
    weights["running_mean_std.count"] = torch.tensor(99.0, dtype=torch.float64)
    return {"model": weights, "epoch": 7, "optimizer": {"state": {}, "param_groups": []}}


def test_k13_rl_games_with_numbers_of_numpy_is_read(tmp_path: Path) -> None:
    spec = EnvSpec(OBSERVATIONS, spaces.Box(-1, 1, (1,), np.float32), max_episode_length=9)
    saved = _ppo_for_one_action() | {"last_mean_rewards": np.float64(3.5)}
    torch.save(saved, tmp_path / "last.pth")
    policy = GaussianMLPPolicy(spec, hidden_sizes=SIZES)
    value_function = GaussianMLPValueFunction(spec, hidden_sizes=SIZES)
    report = migrate(policy, tmp_path / "last.pth")
    migrate(value_function, tmp_path / "last.pth")
    weights = saved["model"]
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    hidden = rows
    for layer in (0, 2):
        kernel, bias = (weights[f"a2c_network.actor_mlp.{layer}.{w}"] for w in ("weight", "bias"))
        hidden = torch.tanh(hidden @ kernel.T + bias)
    for head, found in (("mu", policy(rows)[0].mean), ("value", value_function(rows)[:, None])):
        kernel, bias = (weights[f"a2c_network.{head}.{w}"] for w in ("weight", "bias"))
        close(found.detach(), (hidden @ kernel.T + bias).detach().numpy())
    statistics = report.observation_statistics
    assert report.format == "rl_games"
    assert statistics is not None
    assert (statistics.count, statistics.clip, report.return_statistics.mean[0]) == (99.0, 5.0, 1.0)


def layers(*names: str, sizes: tuple[int, ...] = (3, 16, 16, 2)) -> dict[str, torch.Tensor]:
    """Name the layers of a perceptron."""
    torch.manual_seed(3)
    found = {}
    for name, inputs, outputs in zip(names, sizes, sizes[1:], strict=False):
        layer = nn.Linear(inputs, outputs)
        found |= {f"{name}.weight": layer.weight.detach(), f"{name}.bias": layer.bias.detach()}
    return found


def actions_of(weights: dict[str, torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    kernels = [array for name, array in weights.items() if name.endswith("weight")]
    biases = [array for name, array in weights.items() if name.endswith("bias")]
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        rows = torch.tanh(rows @ kernel.T + bias)
    return rows @ kernels[-1].T + biases[-1] if len(kernels) > 1 else rows


def test_k13_cleanrl_ppo_acts_the_same(tmp_path: Path) -> None:
    actor = layers("actor_mean.0", "actor_mean.2", "actor_mean.4")
    critic = layers("critic.0", "critic.2", "critic.4", sizes=(3, 16, 16, 1))
    path = tmp_path / "ppo.cleanrl_model"
    torch.save({**critic, **actor, "actor_logstd": torch.tensor([[-0.5, 0.25]])}, path)
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    report = migrate(policy, path)
    rows = torch.ones(4, 3)
    close(policy(rows)[0].mean.detach(), actions_of(actor, rows).numpy())
    close(policy.log_std.detach(), np.array([-0.5, 0.25], np.float32))
    assert report.format == "CleanRL"


def test_k13_cleanrl_td3_is_a_tuple_of_networks(tmp_path: Path) -> None:
    actor = layers("fc1", "fc2", "fc_mu")
    critics = [layers("fc1", "fc2", "fc3", sizes=(5, 16, 16, 1)) for _ in range(2)]
    bounds = {"action_scale": torch.tensor([2.0, 2.0]), "action_bias": torch.zeros(2)}
    torch.save(({**actor, **bounds}, *critics), tmp_path / "td3.cleanrl_model")
    policy = DeterministicMLPPolicy(BOX, hidden_sizes=SIZES, hidden_nonlinearity=nn.Tanh)
    report = migrate(policy, tmp_path / "td3.cleanrl_model")
    rows = torch.ones(4, 3)
    close(policy(rows).detach(), 2.0 * torch.tanh(actions_of(actor, rows)).numpy())
    assert report.format == "CleanRL"
    assert "actor.action_scale" in report.unused


def test_k13_a_directory_of_velora_is_read(tmp_path: Path) -> None:
    actor = layers("actor.ncp.0", "actor.ncp.1", "actor.ncp.2")
    critic = layers("critic.0", "critic.1", "critic.2", sizes=(5, 16, 16, 1))
    targets = {name.replace(".", "_target.", 1): array + 1 for name, array in actor.items()}
    save_file(actor | critic | targets, tmp_path / "model_state.safetensors")
    (tmp_path / "metadata.json").write_text("{}")
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES, learn_std=False)
    report = migrate(policy, tmp_path, allow_partial=True)
    close(policy(torch.ones(1, 3))[0].mean.detach(), actions_of(actor, torch.ones(1, 3)).numpy())
    assert (report.format, report.kept) == ("Velora", ("std_parameter",))


def co_gym(directory: Path, actor: dict[str, torch.Tensor], **more: Any) -> Path:
    critic = layers("net.0", "net.2", "net.4", sizes=(3, 16, 16, 1))
    parts = {"policy_state_dict": actor, "critic_state_dict": critic}
    slots = {"policy_optimizer_state_dict": {"state": {}, "param_groups": []}}
    torch.save({**parts, **slots, **more}, directory / "checkpoint.pt")
    torch.save(actor, directory / "policy.pt")
    text = "mean:\n- 1.0\n- 2.0\n- 3.0\nstd:\n- 4.000001\n- 4.000001\n- 4.000001\n"
    (directory / "observation_normalizing_values.yaml").write_text(text)
    return directory


def test_k13_a_directory_of_co_gym_has_a_variance_under_the_name_of_a_deviation(
    tmp_path: Path,
) -> None:
    actor = layers("net.0", "net.2", "net.4")
    policy = DeterministicMLPPolicy(BOX, hidden_sizes=SIZES, hidden_nonlinearity=nn.Tanh)
    report = migrate(policy, co_gym(tmp_path, actor))
    close(policy(torch.ones(1, 3)).detach(), 2.0 * torch.tanh(actions_of(actor, torch.ones(1, 3))))
    assert report.format == "CO-GYM"
    assert report.observation_statistics is not None
    close(report.observation_statistics.normalize(np.array([3.0, 2.0, 3.0])), [1.0, 0.0, 0.0])
    value_function = GaussianMLPValueFunction(BOX, hidden_sizes=SIZES)
    migrate(value_function, tmp_path)


def test_k13_what_only_code_could_read_of_co_gym_is_left_aside(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    actor = layers("net.0", "net.2", "net.4")
    policy = DeterministicMLPPolicy(BOX, hidden_sizes=SIZES)
    report = migrate(policy, co_gym(tmp_path, actor, buffer=Trap(sprung)))
    assert "the policy alone, from policy.pt" in str(report)
    assert not sprung.exists()


def test_k13_statistics_of_co_gym_that_are_none_are_refused(tmp_path: Path) -> None:
    policy = DeterministicMLPPolicy(BOX, hidden_sizes=SIZES)
    co_gym(tmp_path, layers("net.0", "net.2", "net.4"))
    (tmp_path / "observation_normalizing_values.yaml").write_text("mean: [1.0, 2.0]\nstd: [x]\n")
    with pytest.raises(ValueError, match="lists of numbers `mean` and `std`"):
        migrate(policy, tmp_path)


@pytest.mark.parametrize("suffix", ["safetensors", "npz", "pt"])
def test_k13_what_export_wrote_comes_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    first = CategoricalMLPPolicy(DISCRETE, hidden_sizes=SIZES)
    second = CategoricalMLPPolicy(DISCRETE, hidden_sizes=SIZES)
    path = tmp_path / f"policy.{suffix}"
    tensors = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    if suffix == "npz":
        np.savez(path, **state(first))
    else:
        (save_file if suffix == "safetensors" else torch.save)(tensors, path)
    report = migrate(second, path)
    assert unchanged(second, state(first))
    assert {one.how for one in report.migrated} == {"name"}


def test_k13_wrappers_of_torch_do_not_matter() -> None:
    first, second = (CategoricalMLPPolicy(DISCRETE, hidden_sizes=SIZES) for _ in range(2))
    source = {f"agent._orig_mod.module.{name}": array for name, array in state(first).items()}
    migrate(second, source)
    assert unchanged(second, state(first))


def refusal(target: nn.Module, source: Any, **options: Any) -> MigrationError:
    """Return the error, once it is sure that the target is as it was."""
    before = state(target)
    with pytest.raises(MigrationError) as caught:
        migrate(target, source, **options)
    assert unchanged(target, before)
    return caught.value


def test_k13_ambiguity_is_an_error_that_lists_the_candidates() -> None:
    qf = ContinuousMLPQFunction(BOX, hidden_sizes=SIZES)
    error = refusal(qf, DATA / "sb3_sac.zip")
    assert error.ambiguous["mlp.output.bias"] == ["critic.qf0", "critic.qf1"]
    assert "name_map={'mlp': 'critic.qf0'}" in str(error)
    report = migrate(qf, DATA / "sb3_sac.zip", {"mlp": "critic.qf1"})
    assert report.name_map["mlp.output.bias"] == ("critic.qf1.4.bias",)
    there = recorded("sb3_sac")
    actions = torch.from_numpy(there["actions"] / 2.0)
    close(qf(torch.from_numpy(there["observations"]), actions)[:, 0].detach(), there["q2"])


def test_k13_layers_of_one_shape_in_a_file_without_order_are_ambiguous(tmp_path: Path) -> None:
    alike = layers("second", "first", sizes=(3, 3, 3))
    save_file(alike, tmp_path / "a.safetensors")
    spec = EnvSpec(OBSERVATIONS, spaces.Box(-1, 1, (3,), np.float32), max_episode_length=9)
    policy = DeterministicMLPPolicy(spec, hidden_sizes=(3,))
    error = refusal(policy, tmp_path / "a.safetensors")
    assert sorted(error.ambiguous["mlp.output.weight"]) == ["first.weight", "second.weight"]
    migrate(policy, tmp_path / "a.safetensors", {"mlp.hidden.0": "second", "mlp.output": "first"})
    np.testing.assert_array_equal(state(policy)["mlp.output.bias"], alike["first.bias"].numpy())


def test_k13_numbers_in_names_are_an_order(tmp_path: Path) -> None:
    names = [f"net.{number}" for number in range(12)]
    chain = layers(*names, sizes=(3,) * 13)
    save_file(chain, tmp_path / "a.safetensors")
    spec = EnvSpec(OBSERVATIONS, spaces.Box(-1, 1, (3,), np.float32), max_episode_length=9)
    policy = DeterministicMLPPolicy(spec, hidden_sizes=(3,) * 11)
    migrate(policy, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(state(policy)["mlp.hidden.10.bias"], chain["net.10.bias"].numpy())


def test_k13_what_is_missing_or_has_no_place_is_an_error_unless_a_part_will_do() -> None:
    policy = GaussianMLPPolicy(BOX, hidden_sizes=(16, 8))
    error = refusal(policy, DATA / "sb3_ppo.zip")
    text = str(error)
    assert "mlp.hidden.1.weight, shape (8, 16): nothing fits" in text
    assert "mlp_extractor.policy_net.2.weight, shape (16, 16), of theirs has no place" in text
    assert "allow_partial=True" in text
    report = migrate(policy, DATA / "sb3_ppo.zip", allow_partial=True)
    assert set(report.kept) == set(error.missing)
    assert "kept as they were: mlp.hidden.1.weight" in str(report)


def test_k13_a_layer_in_the_middle_is_not_left_out() -> None:
    policy = DeterministicMLPPolicy(BOX, hidden_sizes=(16,))
    deeper = layers("net.0", "net.2", "net.4")
    error = refusal(policy, deeper)
    assert "net.2.weight, shape (16, 16), of theirs has no place" in str(error)


def test_k13_a_deviation_that_is_no_logarithm_becomes_one() -> None:
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    source = {"std": torch.tensor([0.5, 2.0]), **layers("actor.0", "actor.2", "actor.4")}
    report = migrate(policy, {"model_state_dict": source})
    close(policy.log_std.exp().detach(), [0.5, 2.0])
    assert report.migrated[0].how.endswith("its logarithm")
    error = refusal(policy, source | {"std": torch.tensor([0.5, -2.0])})
    assert "std_parameter from std: not all finite, or not positive" in str(error)


def test_k13_statistics_that_cannot_be_read_are_said_and_left_aside(tmp_path: Path) -> None:
    (tmp_path / "ppo.zip").write_bytes((DATA / "sb3_ppo.zip").read_bytes())
    (tmp_path / "vecnormalize.pkl").write_bytes(pickle.dumps({"a": 1}))
    report = migrate(GaussianMLPPolicy(BOX, hidden_sizes=SIZES), tmp_path / "ppo.zip")
    assert report.observation_statistics is None
    assert "left aside" in str(report)


def test_k13_a_snapshot_of_ours_is_read_as_data(tmp_path: Path) -> None:
    first, second = (
        GaussianMLPPolicy(BOX, hidden_sizes=SIZES, std_parameterization="softplus")
        for _ in range(2)
    )
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path))
    snapshotter.save({"algo": SimpleNamespace(policy=first), "env": None}, Manifest(epoch=1))
    snapshotter.close()
    assert migrate(second, tmp_path).format == "garage_like"
    assert unchanged(second, state(first))


def test_k13_statistics_clip_as_the_other_program_does() -> None:
    statistics = read_vec_normalize(DATA / "sb3_ppo_vecnormalize.pkl")
    far = statistics.normalize(statistics.mean + 100 * np.sqrt(statistics.variance))
    np.testing.assert_array_equal(far, np.full(3, 5.0, np.float32))


def test_k13_statistics_need_a_place() -> None:
    statistics = read_vec_normalize(DATA / "sb3_ppo_vecnormalize.pkl")
    with pytest.raises(ValueError, match="normalises no observations; wrap its environment"):
        statistics.put_into(NormalizedEnv(GymEnv("Pendulum-v1")))


def test_k13_statistics_of_another_shape_change_nothing() -> None:
    env = NormalizedEnv(GymEnv("Pendulum-v1"), normalize_obs=True)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=SIZES)
    critic = GaussianMLPValueFunction(env.spec, hidden_sizes=SIZES)
    algo = PPO(env.spec, policy, critic, LocalSampler(policy, env))
    source = _ppo_for_one_action()
    for leaf in ("running_mean", "running_var"):
        source["model"][f"running_mean_std.{leaf}"] = torch.ones(4, dtype=torch.float64)
    before = state(policy)
    with pytest.raises(MigrationError, match="statistics of 4 numbers do not go into"):
        migrate(algo, source)
    assert unchanged(policy, before)


def test_k13_a_replacement_that_fails_half_way_is_taken_back() -> None:
    policy = CategoricalMLPPolicy(DISCRETE, hidden_sizes=SIZES)
    before = state(policy)
    weights = components_of(policy)[0].weights

    def fail(_: np.ndarray) -> None:
        raise OSError("no memory")

    values = [(weight, weight.read() + 1) for weight in weights]
    write = weights[-1].write
    weights[-1].write = fail
    with pytest.raises(OSError, match="no memory"):
        assign(values)
    weights[-1].write = write
    assert unchanged(policy, before)


def test_k13_a_module_that_skrl_shares_and_saves_twice_is_not_ambiguous() -> None:
    trunk = layers("net_container.0", "net_container.2", sizes=(3, 16, 16))
    heads = layers("policy_layer", sizes=(16, 2)) | layers("value_layer", sizes=(16, 1))
    shared = {"log_std_parameter": torch.tensor([0.1, 0.2]), **trunk, **heads}
    saved = {"policy": shared, "value": {name: array.clone() for name, array in shared.items()}}
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    value_function = GaussianMLPValueFunction(BOX, hidden_sizes=SIZES)
    migrate(policy, saved)
    migrate(value_function, saved)
    rows = torch.ones(2, 3)
    hidden = torch.tanh(actions_of(trunk, rows))
    outputs = {"policy_layer": policy(rows)[0].mean, "value_layer": value_function(rows)[:, None]}
    for head, found in outputs.items():
        expected = hidden @ heads[f"{head}.weight"].T + heads[f"{head}.bias"]
        close(found.detach(), expected.numpy())


def test_k13_nothing_at_all_is_an_error_even_for_a_part() -> None:
    policy = CategoricalMLPPolicy(DISCRETE, hidden_sizes=(5,))
    refusal(policy, {"x.weight": np.zeros((9, 9))}, allow_partial=True)


def test_k13_a_map_that_names_nothing_is_an_error_with_names_that_are_close() -> None:
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    for name_map, expected in (
        ({"mlp.outputs": "action_net"}, r"'mlp\.outputs'; there are, say, mlp\.output"),
        ({"mlp.output": "action_nets"}, r"'action_nets'; there are, say, action_net"),
    ):
        before = state(policy)
        with pytest.raises(MigrationError, match=expected):
            migrate(policy, DATA / "sb3_ppo.zip", name_map)
        assert unchanged(policy, before)


def test_k13_a_map_to_another_shape_changes_nothing() -> None:
    policy = GaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    error = refusal(policy, DATA / "sb3_ppo.zip", name_map={"std_parameter": "value_net.weight"})
    assert "std_parameter from value_net.weight: expected shape (2,), found (1, 16)" in str(error)


def test_k13_weights_that_are_not_finite_are_refused() -> None:
    policy = CategoricalMLPPolicy(DISCRETE, hidden_sizes=SIZES)
    source = state(policy)
    source["mlp.output.bias"][1] = np.nan
    assert "not all finite" in str(refusal(policy, source))


def test_k13_heads_are_joined_as_a_map_says() -> None:
    policy = TanhGaussianMLPPolicy(BOX, hidden_sizes=(16,))
    source = layers("a", "b", sizes=(3, 16, 2)) | layers("c", sizes=(16, 2))
    name_map = {
        "mlp.output.weight": ("b.weight", "c.weight"),
        "mlp.output.bias": ("b.bias", "c.bias"),
    }
    migrate(policy, source, name_map)
    joined = torch.cat([source["b.weight"], source["c.weight"]]).numpy()
    np.testing.assert_array_equal(state(policy)["mlp.output.weight"], joined)


def test_k13_kernels_of_keras_are_turned() -> None:
    policy = DeterministicMLPPolicy(BOX, hidden_sizes=SIZES)
    chain = layers("dense_1", "dense_2", "dense_3")
    source = {
        name.replace("weight", "kernel"): array.numpy().T if "weight" in name else array.numpy()
        for name, array in chain.items()
    }
    migrate(policy, source)
    for name in ("hidden.0", "hidden.1", "output"):
        place = {"hidden.0": 1, "hidden.1": 2, "output": 3}[name]
        found = state(policy)[f"mlp.{name}.weight"]
        np.testing.assert_array_equal(found, chain[f"dense_{place}.weight"].numpy())


class Trap:
    """Write a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_k13_no_code_of_a_checkpoint_is_run(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    torch.save({"policy": layers("net"), "extra": Trap(sprung)}, tmp_path / "trap.pt")
    policy = CategoricalMLPPolicy(DISCRETE)
    with pytest.raises(ValueError, match=r"trap\.pt: torch cannot load it without running code"):
        migrate(policy, tmp_path / "trap.pt")
    (tmp_path / "vec_normalize.pkl").write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(ValueError, match=r"expected a VecNormalize .* found"):
        read_vec_normalize(tmp_path / "vec_normalize.pkl")
    assert not sprung.exists()


def test_k13_a_zip_of_stable_baselines3_is_read_without_it() -> None:
    code = (
        "import sys; from garage_like.interop import read_vec_normalize;"
        "from garage_like.interop.checkpoint import read_checkpoint;"
        "found = read_checkpoint(sys.argv[1]);"
        "print(found.format, len(found.arrays), 'stable_baselines3' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(DATA / "sb3_ppo.zip")],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ran.stdout == "Stable-Baselines3 13 False\n"


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda path: path / "none.pt", FileNotFoundError, "no such checkpoint"),
        (lambda path: 3, TypeError, "a path or a mapping"),
        (lambda path: {}, ValueError, "no arrays in it"),
        (lambda path: _written(path / "junk.pt", b"junk"), ValueError, "damaged"),
        (lambda path: _written(path / "junk.npz", b"junk"), ValueError, "arrays of numbers"),
        (lambda path: _written(path / "a.safetensors", b"junk"), ValueError, "safetensors"),
        (lambda path: path, ValueError, "expected checkpoint.pt or policy.pt"),
    ],
    ids=["missing", "number", "empty", "pt", "npz", "safetensors", "directory"],
)
def test_k13_rubbish_is_refused(make: Any, kind: Any, message: str, tmp_path: Path) -> None:
    policy = CategoricalMLPPolicy(DISCRETE)
    with pytest.raises(kind, match=message):
        migrate(policy, make(tmp_path))


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_k13_a_target_without_weights_is_refused() -> None:
    with pytest.raises(TypeError, match="target must be a policy"):
        migrate(object(), {"a": np.zeros(3)})


def test_k13_a_report_says_what_went_where() -> None:
    report: MigrationReport = migrate(
        GaussianMLPPolicy(BOX, hidden_sizes=SIZES), DATA / "sb3_ppo.zip"
    )
    text = str(report)
    assert "mlp.output.weight   <- action_net.weight  (2, 16)  shape and order" in text
    assert "statistics of observations are those of sb3_ppo_vecnormalize.pkl" in text
    again = GaussianMLPPolicy(BOX, hidden_sizes=SIZES)
    assert migrate(again, DATA / "sb3_ppo.zip", report.name_map).name_map == report.name_map
