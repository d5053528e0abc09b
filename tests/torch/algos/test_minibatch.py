"""Minibatches, target networks and learning rates."""

import copy
import sys
from pathlib import Path

import numpy as np
import torch
from gymnasium import spaces

sys.path.insert(0, str(Path(__file__).parent))
from transitions import BOX, CONTINUES, DISCRETE, SMALL, continuous_parts, transitions

from garage_like.algos.schedules import LinearSchedule
from garage_like.data.env_spec import EnvSpec
from garage_like.torch.algos import SAC
from garage_like.torch.algos.minibatch import make_minibatch
from garage_like.torch.algos.target_networks import TargetNetworks, target_of

CPU = torch.device("cpu")


def test_tensors_look_at_the_transitions_themselves():
    batch = transitions(BOX)
    minibatch = make_minibatch(batch, BOX, 1.0, CPU)
    for tensor, key in (
        (minibatch.observations, "observation"),
        (minibatch.actions, "action"),
        (minibatch.rewards, "reward"),
        (minibatch.next_observations, "next_observation"),
    ):
        assert tensor.data_ptr() == batch[key].ctypes.data


def test_timeout_continues_and_termination_does_not():
    assert torch.equal(make_minibatch(transitions(BOX), BOX, 1.0, CPU).continues, CONTINUES)


def test_rewards_are_scaled_and_the_transitions_left_alone():
    batch = transitions(BOX)
    before = copy.deepcopy(batch)
    scaled = make_minibatch(batch, BOX, 0.5, CPU).rewards
    assert np.allclose(scaled, before["reward"] * 0.5)
    assert np.array_equal(batch["reward"], before["reward"])


def test_discrete_actions_stay_integers():
    minibatch = make_minibatch(transitions(DISCRETE), DISCRETE, 1.0, CPU)
    assert minibatch.actions.dtype == torch.int64
    assert minibatch.weights is None


def test_observations_and_actions_are_flattened():
    spec = EnvSpec(spaces.Box(-9, 9, (3, 1)), spaces.Box(-1, 1, (2, 1)))
    batch = transitions(BOX, weights=True)
    for key in ("observation", "next_observation", "action"):
        batch[key] = batch[key][..., None]
    minibatch = make_minibatch(batch, spec, 1.0, CPU)
    assert minibatch.observations.shape == (6, 3)
    assert minibatch.actions.shape == (6, 2)
    assert minibatch.weights.shape == (6,)


def test_target_is_a_copy_that_gradients_do_not_move():
    original = torch.nn.Linear(2, 3)
    target = target_of(original)
    assert torch.equal(target.weight, original.weight)
    assert target.weight.data_ptr() != original.weight.data_ptr()
    assert not any(p.requires_grad for p in target.parameters())
    assert all(p.requires_grad for p in original.parameters())


def test_target_of_a_policy_shares_what_is_no_weight():
    policy, _, _ = continuous_parts(deterministic=True)
    assert target_of(policy).env_spec is policy.env_spec


def test_target_goes_part_of_the_way():
    original = torch.nn.Linear(2, 3)
    target = target_of(original)
    with torch.no_grad():
        original.weight.add_(1.0)
    TargetNetworks((target, original)).update(0.25)
    assert torch.allclose(original.weight - target.weight, torch.tensor(0.75))
    assert torch.equal(target.bias, original.bias)


def test_learning_rates_follow_their_schedules():
    policy, qfs, buffer = continuous_parts(deterministic=False)
    algo = SAC(
        BOX, policy, *qfs, buffer, policy_lr=LinearSchedule(1.0, 0.0, 100), qf_lr=0.5, **SMALL
    )
    assert algo._policy_optimizer.optimizer.param_groups[0]["lr"] == 1.0
    algo._set_learning_rates(25)
    assert algo._learning_rates() == {
        "Learning/PolicyLearningRate": 0.75,
        "Learning/CriticLearningRate": 0.5,
        "Learning/EntropyLearningRate": 0.75,
    }
