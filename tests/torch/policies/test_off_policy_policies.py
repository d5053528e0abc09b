"""Policies of off-policy algorithms: what acts in NumPy is what torch computes."""

import pickle

import numpy as np
import pytest
import torch
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.evaluation import ModeActor
from garage_like.experiment.deterministic import set_seed
from garage_like.torch.policies import (
    CategoricalCNNPolicy,
    DeterministicMLPPolicy,
    DiscreteQFArgmaxPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import DiscreteCNNQFunction, DiscreteMLPQFunction

OBSERVATION = spaces.Box(-9, 9, (5,), np.float64)
LOW, HIGH = np.array([-1, 2], np.float32), np.array([3, 2.5], np.float32)
BOX = EnvSpec(OBSERVATION, spaces.Box(LOW, HIGH))
OPEN = EnvSpec(OBSERVATION, spaces.Box(-np.inf, np.inf, (2,)))
DISCRETE = EnvSpec(OBSERVATION, spaces.Discrete(4))
IMAGES = EnvSpec(spaces.Box(0, 255, (12, 10, 3), np.uint8), spaces.Discrete(4))
OBSERVATIONS = np.random.default_rng(0).normal(size=(50, 5))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    set_seed(1)


def act(policy, observations=OBSERVATIONS, seed: int = 0) -> np.ndarray:
    return policy.actor().act(observations, np.random.default_rng(seed))[0]


def test_deterministic_actor_agrees_with_forward():
    policy = DeterministicMLPPolicy(BOX, (8, 8))
    with torch.no_grad():
        expected = policy(policy.flatten(OBSERVATIONS)).numpy()
    assert np.allclose(act(policy), expected, atol=1e-6)


def test_deterministic_actions_reach_the_bounds_and_go_no_further():
    policy = DeterministicMLPPolicy(BOX, (8,))
    with torch.no_grad():
        policy.mlp.output.bias.copy_(torch.tensor([100.0, -100.0]))
    assert np.allclose(act(policy), [3.0, 2.0])


def test_actions_are_scaled_only_where_there_are_bounds():
    policy = DeterministicMLPPolicy(OPEN, (8,))
    assert np.abs(act(policy)).max() <= 1.0


def test_deterministic_policy_that_numpy_cannot_compute_acts_all_the_same():
    policy = DeterministicMLPPolicy(BOX, (8,), layer_normalization=True)
    with torch.no_grad():
        expected = policy(policy.flatten(OBSERVATIONS)).numpy()
    assert np.allclose(act(policy), expected, atol=1e-6)


def test_tanh_gaussian_actor_agrees_with_forward():
    policy = TanhGaussianMLPPolicy(BOX, (8, 8))
    noise = np.random.default_rng(3).standard_normal((50, 2), np.float32)
    with torch.no_grad():
        distribution = policy(policy.flatten(OBSERVATIONS))[0]
        expected = distribution.rsample_with_log_prob(torch.from_numpy(noise))[0].numpy()
    assert np.allclose(act(policy, seed=3), expected, atol=1e-5)


def test_tanh_gaussian_mode_is_what_evaluation_acts_by():
    policy = TanhGaussianMLPPolicy(BOX, (8, 8))
    chosen, _ = ModeActor(policy.actor()).act(OBSERVATIONS, np.random.default_rng(0))
    with torch.no_grad():
        expected = policy(policy.flatten(OBSERVATIONS))[0].mode.numpy()
    assert np.allclose(chosen, expected, atol=1e-6)


def test_standard_deviation_is_held_within_its_limits():
    policy = TanhGaussianMLPPolicy(OPEN, (8,), min_std=0.1, max_std=0.2)
    with torch.no_grad():
        policy.mlp.output.bias[2:] = torch.tensor([50.0, -50.0])
        log_std = policy(policy.flatten(OBSERVATIONS))[0].log_std
    assert np.allclose(log_std.exp()[0], [0.2, 0.1])


def test_actor_sees_every_update():
    policy = DeterministicMLPPolicy(BOX, (8, 8))
    actor = policy.actor()
    before = actor.act(OBSERVATIONS, np.random.default_rng(0))[0].copy()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.1)
    assert not np.allclose(before, actor.act(OBSERVATIONS, np.random.default_rng(0))[0])


@pytest.mark.parametrize("dueling", [False, True])
def test_argmax_policy_takes_what_its_q_function_values_most(dueling):
    qf = DiscreteMLPQFunction(DISCRETE, (8, 8), dueling=dueling)
    policy = DiscreteQFArgmaxPolicy(qf, DISCRETE)
    with torch.no_grad():
        values = qf(policy.flatten(OBSERVATIONS))
        assert np.array_equal(policy(policy.flatten(OBSERVATIONS)), values.argmax(1))
    assert np.array_equal(act(policy), values.argmax(1).numpy())


def test_dueling_values_in_numpy_are_those_of_torch():
    qf = DiscreteMLPQFunction(DISCRETE, (8, 8), dueling=True)
    rows = OBSERVATIONS.astype(np.float32)
    with torch.no_grad():
        expected = qf(torch.from_numpy(rows)).numpy()
    assert np.allclose(qf.to_numpy()(rows), expected, atol=1e-6)


def test_argmax_policy_shares_its_q_function():
    qf = DiscreteMLPQFunction(DISCRETE, (8,))
    policy = DiscreteQFArgmaxPolicy(qf, DISCRETE)
    assert policy.qf is qf
    copy = pickle.loads(pickle.dumps((policy, qf)))
    assert copy[0].qf is copy[1]


def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 12, 10, 3)).astype(np.uint8)


SMALL = {
    "hidden_channels": (4, 4),
    "kernel_sizes": (3, 3),
    "strides": (2, 1),
    "hidden_sizes": (8,),
}


@pytest.mark.parametrize("dueling", [False, True])
def test_argmax_policy_acts_on_images(dueling):
    qf = DiscreteCNNQFunction(IMAGES, dueling=dueling, **SMALL)
    policy = DiscreteQFArgmaxPolicy(qf, IMAGES)
    with torch.no_grad():
        expected = qf(policy.flatten(images())).argmax(1).numpy()
    assert np.array_equal(act(policy, images()), expected)


def test_categorical_cnn_policy_acts_by_its_logits():
    policy = CategoricalCNNPolicy(IMAGES, **SMALL)
    actions, infos = policy.get_actions(images())
    assert actions.shape == (7,)
    with torch.no_grad():
        logits = policy(policy.flatten(images()))[0].logits.numpy()
    ours = infos["logits"] - np.log(np.exp(infos["logits"]).sum(1, keepdims=True))
    assert np.allclose(ours, logits, atol=1e-5)


def test_weights_come_back_as_they_were():
    policy, other = TanhGaussianMLPPolicy(BOX, (8,)), TanhGaussianMLPPolicy(BOX, (8,))
    other.set_param_values(policy.get_param_values())
    assert np.array_equal(act(policy), act(other))


@pytest.mark.parametrize("cls", [DeterministicMLPPolicy, TanhGaussianMLPPolicy])
def test_continuous_policy_needs_a_box(cls):
    with pytest.raises(ValueError, match=f"{cls.__name__} needs a Box action space"):
        cls(DISCRETE)


def test_argmax_policy_needs_discrete_actions_from_zero():
    for spec in (BOX, EnvSpec(OBSERVATION, spaces.Discrete(3, start=1))):
        with pytest.raises(ValueError, match="needs actions 0 to n - 1"):
            DiscreteQFArgmaxPolicy(None, spec)
        with pytest.raises(ValueError, match="needs actions 0 to n - 1"):
            DiscreteMLPQFunction(spec)


def test_contradictory_standard_deviations_are_refused():
    with pytest.raises(ValueError, match="expected 0 < min_std <= max_std"):
        TanhGaussianMLPPolicy(BOX, min_std=0.5, max_std=0.1)
