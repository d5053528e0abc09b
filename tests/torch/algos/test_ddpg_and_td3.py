"""DDPG and TD3: one gradient step against the equations."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from transitions import (
    BOX,
    CONTINUES,
    SMALL,
    assert_all_close,
    continuous_parts,
    stepped,
    tensors,
    transitions,
    weights_of,
)

from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.torch.algos import DDPG, TD3
from garage_like.torch.q_functions import ContinuousMLPQFunction

SGD = {"policy_optimizer": torch.optim.SGD, "qf_optimizer": torch.optim.SGD}
RATES = {"policy_lr": 0.05, "qf_lr": 0.1}
TAU = 0.2


def ddpg(**options) -> DDPG:
    policy, qfs, buffer = continuous_parts(deterministic=True)
    explorer = AddGaussianNoise(BOX, policy, 100)
    options = {"target_update_tau": TAU, **SGD, **RATES, **SMALL, **options}
    return DDPG(BOX, policy, qfs[0], buffer, exploration_policy=explorer, **options)


def td3(**options) -> TD3:
    policy, qfs, buffer = continuous_parts(deterministic=True)
    explorer = AddGaussianNoise(BOX, policy, 100)
    options = {"target_update_tau": TAU, **SGD, **RATES, **SMALL, **options}
    return TD3(BOX, policy, *qfs, buffer, exploration_policy=explorer, **options)


def scale_all(factor: float, *modules: torch.nn.Module) -> None:
    """Make target networks differ, so that tests see which ones are used."""
    with torch.no_grad():
        for module in modules:
            for parameter in module.parameters():
                parameter.mul_(factor)


def moved(targets: list, originals: list) -> list:
    return [t + TAU * (o - t) for t, o in zip(targets, originals, strict=True)]


@pytest.mark.parametrize("weighted", [True, False])
def test_ddpg_steps_follow_the_gradients(weighted):
    algo, batch = ddpg(), transitions(BOX, weighted)
    scale_all(-0.6, algo._target_policy, algo._target_qf)
    t = tensors(batch)
    with torch.no_grad():
        following = t["next_observation"]
        next_values = algo._target_qf(following, algo._target_policy(following))[:, 0]
        targets = t["reward"] + 0.99 * CONTINUES * next_values
    values = algo._qf(t["observation"], t["action"])[:, 0]
    weights = t.get("weight", torch.ones(6))
    expected_qf = stepped((weights * (targets - values) ** 2).mean(), 0.1, algo._qf)
    old_targets = weights_of(algo._target_policy, algo._target_qf)

    # The policy moves up the Q-function that has just been moved.
    twin = ddpg()
    with torch.no_grad():
        for parameter, value in zip(twin._qf.parameters(), expected_qf, strict=True):
            parameter.copy_(value)
    loss = -twin._qf(t["observation"], twin.policy(t["observation"])).mean()
    expected_policy = stepped(loss, 0.05, twin.policy)

    metrics, errors = algo._update(batch)
    assert_all_close(weights_of(algo._qf), expected_qf)
    assert_all_close(weights_of(algo.policy), expected_policy)
    assert_all_close(
        weights_of(algo._target_policy, algo._target_qf),
        moved(old_targets, [*expected_policy, *expected_qf]),
    )
    assert np.allclose(errors, (targets - values).detach(), atol=1e-6)
    assert set(metrics) == set(DDPG.UPDATE_METRICS)


def test_ddpg_targets_are_cut():
    batch = transitions(BOX)
    batch["reward"][:] = 100.0
    assert ddpg(clip_return=3.0)._update(batch)[0]["Target/Mean"] == 3.0
    assert ddpg(clip_pos_returns=True)._update(batch)[0]["Target/Mean"] == 0.0


@pytest.mark.parametrize("weighted", [True, False])
def test_td3_trusts_the_less_hopeful_target(weighted):
    algo, batch = td3(policy_noise=0.0), transitions(BOX, weighted)
    scale_all(-0.6, algo._target_policy, algo._target_qf1)
    t = tensors(batch)
    with torch.no_grad():
        following = t["next_observation"]
        actions = algo._target_policy(following)
        both = [qf(following, actions)[:, 0] for qf in (algo._target_qf1, algo._target_qf2)]
        targets = t["reward"] + 0.99 * CONTINUES * torch.minimum(*both)
    values = [qf(t["observation"], t["action"])[:, 0] for qf in (algo._qf1, algo._qf2)]
    weights = t.get("weight", torch.ones(6))
    loss = sum((weights * (targets - v) ** 2).mean() for v in values)
    expected = stepped(loss, 0.1, algo._qf1, algo._qf2)

    metrics, _ = algo._update(batch)
    assert_all_close(weights_of(algo._qf1, algo._qf2), expected)
    assert metrics["Loss/Critic"] == pytest.approx(loss.item(), rel=1e-5)


def test_td3_moves_policy_and_targets_at_every_second_step():
    algo = td3()
    kept = (algo.policy, algo._target_policy, algo._target_qf1, algo._target_qf2)
    before = weights_of(*kept)
    metrics, _ = algo._update(transitions(BOX))
    assert "Loss/Policy" not in metrics
    assert_all_close(weights_of(*kept), before)
    algo._gradient_steps += 1
    metrics, _ = algo._update(transitions(BOX))
    assert "Loss/Policy" in metrics
    assert all(
        not torch.equal(after, b) for after, b in zip(weights_of(*kept), before, strict=True)
    )


def test_td3_noise_on_target_actions_is_clipped_in_half_widths():
    algo = td3(policy_noise=100.0, policy_noise_clip=0.5)
    scale_all(0.0, algo._target_policy)
    actions = algo._smoothed_actions(torch.zeros(40, 3))
    assert set(actions[:, 0].tolist()) == {-0.5, 0.5}
    assert set(actions[:, 1].tolist()) == {-1.5, 1.5}


def test_td3_target_actions_keep_within_bounds():
    algo = td3(policy_noise=100.0, policy_noise_clip=50.0)
    actions = algo._smoothed_actions(torch.zeros(40, 3))
    assert actions.abs().amax(0).tolist() == [1.0, 3.0]


def test_garages_name_for_gradient_steps_is_understood():
    assert td3(grad_steps_per_env_step=0.5)._gradient_steps_per_env_step == 0.5
    assert ddpg(n_train_steps=3)._gradient_steps_per_itr == 3


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (ddpg, {"clip_return": 0.0}, "DDPG: clip_return must be positive"),
        (ddpg, {"target_update_tau": 1.5}, "DDPG: target_update_tau must be in"),
        (td3, {"update_actor_interval": 0}, "TD3: update_actor_interval must be at least 1"),
        (td3, {"policy_noise": -0.1}, "TD3: policy_noise must be 0 or more"),
        (td3, {"policy_noise_clip": -0.1}, "TD3: policy_noise_clip must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


class FlatQFunction(ContinuousMLPQFunction):
    """A Q-function whose values have one axis."""

    def forward(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return super().forward(observations, actions)[:, 0]


@pytest.mark.parametrize("make", [ddpg, td3])
def test_values_of_one_axis_or_two_train_alike(make):
    algo, twin, batch = make(), make(), transitions(BOX)
    for name in ("_qf", "_qf1", "_qf2", "_target_qf", "_target_qf1", "_target_qf2"):
        if hasattr(twin, name):
            getattr(twin, name).__class__ = FlatQFunction
    ours, theirs = algo._update(batch), twin._update(batch)
    assert ours[0] == theirs[0]
    assert ours[1].shape == (6,)
    assert_all_close(weights_of(algo.policy), weights_of(twin.policy))
