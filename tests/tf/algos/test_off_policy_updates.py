"""DQN, DDPG and TD3: gradient steps as in torch, targets, options, Keras parts."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from off_policy_in_both import (
    BOX,
    DISCRETE,
    SMALL,
    KeepGradients,
    distance,
    in_both,
    make,
    tf_gradients,
    torch_gradients,
    transitions,
    weights,
)

import garage_like.tf.algos
import garage_like.tf.policies
import garage_like.tf.q_functions
from garage_like.algos.schedules import LinearSchedule
from garage_like.configuration.configured import configuration_of
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.tf.algos import DQN
from garage_like.tf.algos.target_networks import target_of
from garage_like.tf.optimizers import Adam
from garage_like.tf.policies import ContinuousMLPPolicy, DiscreteQFArgmaxPolicy

CASES = {
    "dqn": ("dqn", {"clip_gradient": None}),
    "single dqn": ("dqn", {"double_q": False, "clip_rewards": 1.0, "clip_gradient": None}),
    "clipped duelling dqn": ("dueling_dqn", {"clip_gradient": 0.1}),
    "ddpg": ("ddpg", {"reward_scale": 3.0}),
    "clipped ddpg": ("ddpg", {"clip_return": 1.5, "clip_pos_returns": True}),
    "td3": ("td3", {"update_actor_interval": 1}),
    "quieter td3": ("td3", {"update_actor_interval": 1, "policy_noise": 0.0}),
}


@pytest.mark.parametrize("case", CASES)
def test_losses_and_gradients_are_those_of_the_torch_one(case):
    name, options = CASES[case]
    weighted = case != "ddpg"
    in_torch, in_tf = in_both(name, options, ((torch.optim.SGD, {}), KeepGradients))
    for wrapper in in_torch._optimizers().values():
        wrapper.optimizer.param_groups[0]["lr"] = 0.0
    batch = transitions(in_tf._env_spec, weighted)
    metrics, errors = in_torch._update(batch)
    found, found_errors = in_tf._update(batch)
    assert found == pytest.approx(metrics, rel=1e-5)
    assert set(found) == set(type(in_tf).UPDATE_METRICS)
    np.testing.assert_allclose(found_errors, errors, rtol=1e-5, atol=1e-5)
    gradients, expected = tf_gradients(in_tf), torch_gradients(in_torch)
    assert gradients.keys() == expected.keys()
    for key, arrays in expected.items():
        assert distance(gradients[key], arrays) < 1e-5
    in_torch._finish_itr()
    in_tf._finish_itr()
    for network, arrays in weights(in_torch).items():
        assert distance(weights(in_tf)[network], arrays) < 1e-5


@pytest.mark.parametrize("name", ["dqn", "ddpg", "td3"])
def test_many_steps_of_adam_lead_where_those_of_torch_lead(name):
    options = {"target_update_freq": 2} if name == "dqn" else {"policy_lr": 1e-3}
    in_torch, in_tf = in_both(name, {"qf_lr": 1e-3, **options}, (torch.optim.Adam, Adam))
    for step in range(12):
        batch = transitions(in_tf._env_spec, weighted=True, seed=step)
        for algo in (in_torch, in_tf):
            algo._update(batch)
            algo._gradient_steps += 1
            algo._finish_itr()
    for network, arrays in weights(in_torch).items():
        assert distance(weights(in_tf)[network], arrays) < 1e-4


def of_tf(name, optimizer=Adam, **options):
    return make(name, garage_like.tf, "ContinuousMLPPolicy", options, optimizer)


@pytest.mark.parametrize("name", ["dueling_dqn", "ddpg", "td3"])
def test_copy_by_snapshot_goes_on_bit_for_bit(name):
    algo = of_tf(name)
    for step in range(3):
        algo._update(transitions(algo._env_spec, False, step))
    twin = copy_exactly(algo)
    for each in (algo, twin):
        for step in range(3, 6):
            each._update(transitions(algo._env_spec, False, step))
    assert leaves({"algo": twin}) == leaves({"algo": algo})


def test_target_of_dqn_moves_every_so_many_batches():
    algo = of_tf("dqn", target_update_freq=3)
    algo._update(transitions(DISCRETE, False))
    before = weights(algo)["_target_qf"]
    for _ in range(2):
        algo._finish_itr()
    assert distance(weights(algo)["_target_qf"], before) == 0.0
    algo._finish_itr()
    assert distance(weights(algo)["_target_qf"], weights(algo)["_qf"]) == 0.0


def test_td3_moves_policy_and_targets_at_every_other_step():
    algo = of_tf("td3")
    before = weights(algo)
    first, _ = algo._update(transitions(BOX, False))
    after = weights(algo)
    assert "Loss/Policy" not in first
    assert distance(after["policy"], before["policy"]) == 0.0
    assert distance(after["_target_qf1"], before["_target_qf1"]) == 0.0
    assert distance(after["_qf1"], before["_qf1"]) > 0.0
    algo._gradient_steps += 1
    second, _ = algo._update(transitions(BOX, False))
    assert "Loss/Policy" in second
    assert distance(weights(algo)["policy"], before["policy"]) > 0.0
    assert distance(weights(algo)["_target_qf1"], before["_target_qf1"]) > 0.0


def test_learning_rates_follow_their_schedules():
    algo = of_tf("ddpg", policy_lr=LinearSchedule(0.5, 0.1, 100), qf_lr=0.25)
    algo._set_learning_rates(50)
    assert algo._learning_rates() == pytest.approx(
        {"Learning/PolicyLearningRate": 0.3, "Learning/CriticLearningRate": 0.25}
    )
    assert algo._policy_optimizer.learning_rate == pytest.approx(0.3)


def test_optimizers_of_keras_do_as_well():
    spec = (keras.optimizers.SGD, {"momentum": 0.9})
    algo, start = of_tf("ddpg", spec, policy_lr=0.1, qf_lr=0.1), weights(of_tf("ddpg"))
    for step in range(2):
        algo._update(transitions(BOX, False, step))
        algo._set_learning_rates(0)
    assert isinstance(algo._qf_optimizer, keras.optimizers.SGD)
    assert int(algo._qf_optimizer.iterations) == 2
    assert distance(weights(algo)["policy"], start["policy"]) > 0.0


def test_keras_model_with_dropout_is_a_q_function_like_any_other():
    set_seed(4)
    qf = keras.Sequential(
        [keras.layers.Input((3,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(4)]
    )
    policy = DiscreteQFArgmaxPolicy(qf, DISCRETE)
    explorer = EpsilonGreedyPolicy(DISCRETE, policy, total_timesteps=100)
    buffer = PathBuffer(50, DISCRETE)
    algo = DQN(DISCRETE, policy, qf, buffer, exploration_policy=explorer, qf_lr=0.01, **SMALL)
    before = [v.numpy() for v in algo._target_qf.variables]
    losses = [algo._update(transitions(DISCRETE, False))[0]["Loss/Critic"] for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]
    assert distance([v.numpy() for v in algo._target_qf.variables], before) == 0.0
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    best = qf(rows).numpy().argmax(1)
    assert policy.actor().act(rows, np.random.default_rng(0))[0].tolist() == best.tolist()


def test_target_shares_nothing_but_the_description_of_the_environment():
    policy = ContinuousMLPPolicy(BOX, (4,))
    target = target_of(policy)
    assert target.env_spec is policy.env_spec
    mine = {id(variable) for variable in policy.variables}
    assert not mine & {id(variable) for variable in target.variables}
    assert np.array_equal(target.get_param_values(), policy.get_param_values())


@pytest.mark.parametrize("name", ["dqn", "ddpg", "td3"])
def test_the_optimizer_that_is_taken_for_none_is_recorded_as_if_it_had_been_given(name):
    left_out, given = (configuration_of(of_tf(name, optimizer)) for optimizer in (None, Adam))
    assert left_out == given
    assert "garage_like.tf.optimizers.adam.Adam" in json.dumps(given["qf_optimizer"])


def test_garages_names_for_gradient_steps_are_understood():
    assert of_tf("dqn", n_train_steps=7)._gradient_steps_per_itr == 7
    assert of_tf("ddpg", n_train_steps=7)._gradient_steps_per_itr == 7
    assert of_tf("td3", grad_steps_per_env_step=0.5)._gradient_steps_per_env_step == 0.5


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dqn", {"target_update_freq": 0}, "target_update_freq must be at least 1, got 0"),
        ("dqn", {"target_update_tau": 0.0}, r"target_update_tau must be in \(0, 1\], got 0.0"),
        ("dqn", {"clip_gradient": 0.0}, "clip_gradient must be positive or None, got 0.0"),
        ("dqn", {"clip_rewards": -1.0}, "clip_rewards must be positive or None, got -1.0"),
        ("dqn", {"qf_lr": 0.0}, "the learning rate of Critic must be positive, got 0.0"),
        ("ddpg", {"clip_return": 0.0}, "clip_return must be positive, got 0.0"),
        ("ddpg", {"target_update_tau": 2.0}, r"target_update_tau must be in \(0, 1\], got 2.0"),
        ("td3", {"update_actor_interval": 0}, "update_actor_interval must be at least 1, got 0"),
        ("td3", {"policy_noise": -1.0}, "policy_noise must be 0 or more, got -1.0"),
    ],
)
def test_options_out_of_range_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        of_tf(name, **options)


@pytest.mark.parametrize("optimizer", ["adam", (Adam, 3)])
def test_what_is_no_optimizer_is_refused(optimizer):
    with pytest.raises(ValueError, match="a pair of it and a dict of its keyword arguments"):
        of_tf("dqn", optimizer)
