"""DQN: one gradient step against the equations, targets, options."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from transitions import (
    CONTINUES,
    DISCRETE,
    SMALL,
    assert_all_close,
    stepped,
    tensors,
    transitions,
    weights_of,
)

from garage_like.configuration.comparison import differences
from garage_like.configuration.configured import configuration_of
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import DQN
from garage_like.torch.policies import DiscreteQFArgmaxPolicy
from garage_like.torch.q_functions import DiscreteMLPQFunction

RATE = 0.1


def make(**options) -> DQN:
    set_seed(2)
    qf = DiscreteMLPQFunction(DISCRETE, (7,))
    policy = DiscreteQFArgmaxPolicy(qf, DISCRETE)
    explorer = EpsilonGreedyPolicy(DISCRETE, policy, total_timesteps=100)
    options = {
        "qf_lr": RATE,
        "qf_optimizer": torch.optim.SGD,
        "clip_gradient": None,
        **SMALL,
        **options,
    }
    return DQN(
        DISCRETE, policy, qf, PathBuffer(50, DISCRETE), exploration_policy=explorer, **options
    )


def part_target_from_online(algo: DQN) -> None:
    """Make the target network differ, so that tests see which one is used."""
    with torch.no_grad():
        for parameter in algo._target_qf.parameters():
            parameter.mul_(-0.7)


def targets_of(algo: DQN, batch: dict, double: bool) -> torch.Tensor:
    t = tensors(batch)
    with torch.no_grad():
        following = algo._target_qf(t["next_observation"])
        chooser = algo._qf(t["next_observation"]) if double else following
        value = following[torch.arange(6), chooser.argmax(1)]
        return t["reward"] + 0.99 * CONTINUES * value


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_step_follows_the_gradient_of_the_loss(double, weighted):
    algo, batch = make(double_q=double), transitions(DISCRETE, weighted)
    part_target_from_online(algo)
    t, targets = tensors(batch), targets_of(algo, batch, double)
    values = algo._qf(t["observation"])[torch.arange(6), t["action"]]
    losses = nn.functional.smooth_l1_loss(values, targets, reduction="none")
    loss = (losses * t.get("weight", torch.ones(6))).mean()
    expected = stepped(loss, RATE, algo._qf)

    metrics, errors = algo._update(batch)
    assert_all_close(weights_of(algo._qf), expected)
    assert metrics["Loss/Critic"] == pytest.approx(loss.item())
    assert metrics["Target/Mean"] == pytest.approx(targets.mean().item(), rel=1e-5)
    assert np.allclose(errors, (targets - values).detach(), atol=1e-6)
    assert set(metrics) == set(DQN.UPDATE_METRICS)


def test_target_moves_every_so_many_batches():
    algo = make(target_update_freq=3)
    algo._update(transitions(DISCRETE))
    before = weights_of(algo._target_qf)
    for _ in range(2):
        algo._finish_itr()
    assert_all_close(weights_of(algo._target_qf), before)
    algo._finish_itr()
    assert_all_close(weights_of(algo._target_qf), weights_of(algo._qf))


def test_target_may_move_by_a_part_of_the_way():
    algo = make(target_update_freq=1, target_update_tau=0.25)
    part_target_from_online(algo)
    expected = [
        0.75 * target + 0.25 * online
        for target, online in zip(weights_of(algo._target_qf), weights_of(algo._qf), strict=True)
    ]
    algo._finish_itr()
    assert_all_close(weights_of(algo._target_qf), expected)


def test_gradients_are_cut_to_a_norm():
    algo = make(clip_gradient=1e-3)
    before = weights_of(algo._qf)
    algo._update(transitions(DISCRETE))
    moved = [after - b for after, b in zip(weights_of(algo._qf), before, strict=True)]
    norm = torch.cat([m.flatten() for m in moved]).norm()
    assert norm.item() == pytest.approx(RATE * 1e-3, rel=1e-2)


def test_rewards_are_cut_and_scaled():
    algo = make(clip_rewards=0.1, reward_scale=5.0)
    batch = transitions(DISCRETE)
    batch["step_type"][:] = 2
    metrics, _ = algo._update(batch)
    assert metrics["Target/Mean"] == pytest.approx(
        np.clip(5.0 * batch["reward"], -0.1, 0.1).mean(), rel=1e-5
    )


def test_the_optimizer_that_is_taken_for_none_is_recorded_as_if_it_had_been_given():
    left_out, given = (configuration_of(make(qf_optimizer=o)) for o in (None, torch.optim.Adam))
    assert left_out == given
    assert isinstance(make(qf_optimizer=None)._qf_optimizer.optimizer, torch.optim.Adam)


def test_runs_that_were_recorded_with_garages_name_are_the_same_runs():
    now = configuration_of(make(n_train_steps=7))
    older = {**now, "n_train_steps": 7}
    assert "n_train_steps" not in now
    assert differences({"algo": older}, {"algo": now}) == []
    assert differences({"algo": older}, {"algo": configuration_of(make(n_train_steps=8))})


def test_garages_name_for_gradient_steps_is_understood():
    assert make(n_train_steps=7)._gradient_steps_per_itr == 7


def test_gradients_are_gone_when_an_epoch_is_over():
    algo = make()
    algo._update(transitions(DISCRETE))
    assert all(p.grad is not None for p in algo._qf.parameters())
    algo._finish_epoch()
    assert all(p.grad is None for p in algo._qf.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_update_freq": 0}, "target_update_freq must be at least 1, got 0"),
        ({"target_update_tau": 0.0}, r"target_update_tau must be in \(0, 1\], got 0.0"),
        ({"clip_gradient": 0.0}, "clip_gradient must be positive or None, got 0.0"),
        ({"clip_rewards": -1.0}, "clip_rewards must be positive or None, got -1.0"),
        ({"qf_lr": 0.0}, "the learning rate of Critic must be positive, got 0.0"),
        (
            {"qf_optimizer": (torch.optim.SGD, [("lr", 1.0)])},
            "a pair of it and a dict of its keyword arguments",
        ),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)
