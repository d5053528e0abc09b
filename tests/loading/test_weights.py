"""Weights alone go into objects that are there, and a report says what did not."""

import numpy as np
import pytest

from garage_like import load_algo, load_policy, load_weights
from garage_like.errors import SnapshotMismatchError, SnapshotNotFoundError, SnapshotUntrustedError
from garage_like.snapshot.graph.walk import leaves
from garage_like.torch.policies import GaussianMLPPolicy

LAYERS = ["mlp.hidden.0", "mlp.hidden.1", "mlp.output"]
OF_THE_POLICY = ["policy.std_parameter"] + [
    f"policy.{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")
]


def wider(algo):
    """Make a policy like that of the algorithm, with more units in its second layer."""
    return GaussianMLPPolicy(algo.policy.env_spec, hidden_sizes=(16, 17))


def test_k11_the_policy_alone_is_loaded_and_the_report_says_what_was_skipped(trained, made):
    run_dir, saved = trained("ppo")
    algo = made("ppo")
    before = leaves({"value_function": algo._value_function})
    report = load_weights(algo, run_dir)
    assert np.array_equal(algo.policy.get_param_values(), saved.policy.get_param_values())
    assert leaves({"value_function": algo._value_function}) == before
    assert sorted(report.loaded) == sorted(OF_THE_POLICY)
    others = ("env", "policy_optimizer", "rng", "value_function", "vf_optimizer")
    assert report.skipped == dict.fromkeys(others, "not asked for")
    assert report.kept == []


def test_k11_what_does_not_fit_is_named_and_the_target_is_untouched(trained):
    run_dir, saved = trained("ppo")
    policy = wider(saved)
    before = leaves({"policy": policy})
    message = (
        r"nothing was loaded: policy.mlp.hidden.1.weight: its shape is \(16, 16\), the target's is"
        r" \(17, 16\);.*allow_partial=True loads what fits"
    )
    with pytest.raises(SnapshotMismatchError, match=message):
        load_weights(policy, run_dir)
    assert leaves({"policy": policy}) == before


def test_k11_a_partial_load_takes_what_fits(trained):
    run_dir, saved = trained("ppo")
    policy = wider(saved)
    report = load_weights(policy, run_dir, allow_partial=True)
    assert sorted(report.loaded) == [
        "policy.mlp.hidden.0.bias",
        "policy.mlp.hidden.0.weight",
        "policy.mlp.output.bias",
        "policy.std_parameter",
    ]
    assert report.skipped["policy.mlp.output.weight"] == (
        "its shape is (1, 16), the target's is (1, 17)"
    )
    first = [p.mlp.hidden[0].weight.detach().numpy() for p in (policy, saved.policy)]
    assert np.array_equal(*first)


def test_what_the_target_has_and_the_snapshot_lacks_is_kept(trained):
    run_dir, saved = trained("ppo")
    policy = GaussianMLPPolicy(saved.policy.env_spec, hidden_sizes=(16, 16, 16))
    with pytest.raises(SnapshotMismatchError, match=r"hidden.2.weight: not in the snapshot"):
        load_weights(policy, run_dir)
    report = load_weights(policy, run_dir, allow_partial=True)
    assert report.kept == ["policy.mlp.hidden.2.weight", "policy.mlp.hidden.2.bias"]
    assert "  kept     policy.mlp.hidden.2.weight: not in the snapshot" in str(report)


def test_k11_what_optimizers_know_is_loaded_by_name(trained):
    run_dir, saved = trained("ppo")
    algo = load_algo(run_dir, 0)
    report = load_weights(algo, run_dir, components=["policy", "policy_optimizer"])
    assert "policy_optimizer.optimizer.state[0].exp_avg" in report.loaded
    live, expected = (
        [slot["exp_avg"].tolist() for slot in each._policy_optimizer._optimizer.state.values()]
        for each in (algo, saved)
    )
    assert live == expected


def test_an_actor_that_shares_the_weights_acts_on_the_new_ones(trained, made):
    run_dir, saved = trained("ppo")
    policy = made("ppo").policy
    observation = np.array([0.5, -0.5, 1.0], np.float32)
    policy.get_action(observation)
    load_weights(policy, run_dir)
    mean = policy.get_action(observation)[1]["mean"]
    assert np.array_equal(mean, saved.policy.get_action(observation)[1]["mean"])


def test_weights_without_a_framework_are_loaded_too(trained, made):
    run_dir, saved = trained("cem")
    algo = made("cem")
    algo.policy.set_param_values(np.zeros_like(algo.policy.get_param_values()))
    load_weights(algo, run_dir)
    assert np.array_equal(algo.policy.get_param_values(), saved.policy.get_param_values())


def test_no_code_of_the_snapshot_runs_so_no_trust_is_asked_for(trained, made, monkeypatch):
    run_dir, _ = trained("ppo")
    monkeypatch.setattr("garage_like.snapshot.trust.user_name", lambda: "someone")
    with pytest.raises(SnapshotUntrustedError):
        load_policy(run_dir)
    assert load_weights(made("ppo").policy, run_dir).loaded


def test_a_component_that_is_not_there_is_named_with_those_there_are(trained, made):
    run_dir, _ = trained("ppo")
    with pytest.raises(SnapshotNotFoundError, match=r"no component 'polcy'; there are env, policy"):
        load_weights(made("ppo"), run_dir, components=["polcy"])


@pytest.mark.parametrize(
    ("components", "message"),
    [
        ("policy", "must be a sequence of names, got the string 'policy'"),
        (
            ["policy", "value_function"],
            "GaussianMLPPolicy has none of the components policy, value",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_type_error(components, message, trained, made):
    with pytest.raises(TypeError, match=message):
        load_weights(made("ppo").policy, trained("ppo")[0], components=components)


def test_s07_another_epoch_than_that_of_the_one_snapshot_is_refused(trained, made):
    snapshot = trained("ppo")[0] / "snapshots" / "epoch_000001"
    with pytest.raises(SnapshotNotFoundError, match="it is one snapshot, of epoch 1"):
        load_weights(made("ppo").policy, snapshot, 0)
