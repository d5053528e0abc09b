"""Exploration policies: what they add, how much of it, and how it changes."""

import pickle

import numpy as np
import pytest
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
    EpsilonGreedyPolicy,
    ExplorationPolicy,
)

OBSERVATION = spaces.Box(-1, 1, (1,), np.float32)
DISCRETE = EnvSpec(OBSERVATION, spaces.Discrete(4))
BOX = EnvSpec(OBSERVATION, spaces.Box(-5.0, 5.0, (2,), np.float32))


class Always:
    """Take one and the same action; count resets."""

    def __init__(self, output: list[float], shape: tuple[int, ...] | None) -> None:
        self.output = np.array(output, np.float32)
        self.shape = shape
        self.resets: list = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return np.repeat(self.output[None], len(rows), axis=0)

    def actor(self) -> DeterministicActor:
        return DeterministicActor(self, OBSERVATION, self.shape)

    def reset(self, do_resets=None) -> None:
        self.resets.append(do_resets)

    def get_param_values(self) -> np.ndarray:
        return self.output

    def set_param_values(self, params: np.ndarray) -> None:
        self.output = params


class Steps:
    """As much of a batch as `update` looks at."""

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps


def greedy() -> Always:
    return Always([0.0, 0.0, 9.0, 0.0], None)


def act(policy: ExplorationPolicy, count: int = 4000, seed: int = 0) -> np.ndarray:
    observations = np.zeros((count, 1), np.float32)
    return policy.actor().act(observations, np.random.default_rng(seed))[0]


def epsilon_greedy(**options) -> EpsilonGreedyPolicy:
    return EpsilonGreedyPolicy(DISCRETE, greedy(), **{"total_timesteps": 100, **options})


def test_epsilon_one_takes_every_action_equally_often():
    assert np.abs(np.bincount(act(epsilon_greedy())) - 1000).max() < 120


def test_epsilon_zero_takes_the_best_action():
    assert (act(epsilon_greedy(max_epsilon=0.0, min_epsilon=0.0)) == 2).all()


def test_random_actions_are_uniform_whatever_epsilon_is():
    counts = np.bincount(act(epsilon_greedy(max_epsilon=0.2), 20_000), minlength=4)
    assert np.abs(counts[[0, 1, 3]] - 1000).max() < 120
    assert counts[2] == pytest.approx(17_000, abs=250)


def test_epsilon_falls_in_the_first_part_of_the_run():
    policy = epsilon_greedy(max_epsilon=1.0, min_epsilon=0.1, decay_ratio=0.5)
    seen = []
    for _ in range(6):
        seen.append(policy.epsilon)
        policy.update(Steps(20))
    assert seen == pytest.approx([1.0, 0.64, 0.28, 0.1, 0.1, 0.1])
    assert policy.metrics() == {"Exploration/Epsilon": pytest.approx(0.1)}


def test_actions_may_be_counted_from_elsewhere():
    spec = EnvSpec(OBSERVATION, spaces.Discrete(3, start=7))
    policy = EpsilonGreedyPolicy(spec, Always([7.0], ()), total_timesteps=10)
    assert set(act(policy).tolist()) == {7, 8, 9}


def test_gaussian_noise_has_its_deviation_and_no_bias():
    noise = act(AddGaussianNoise(BOX, Always([1.0, -1.0], (2,)), 100, 0.5, 0.5))
    assert np.allclose(noise.mean(axis=0), [1.0, -1.0], atol=0.03)
    assert np.allclose(noise.std(axis=0), 0.5, atol=0.03)
    assert noise.dtype == np.float32


def test_gaussian_noise_keeps_within_the_bounds():
    noisy = act(AddGaussianNoise(BOX, Always([4.9, -4.9], (2,)), 100, 2.0, 2.0))
    assert noisy.max() == 5.0
    assert noisy.min() == -5.0


def test_sigma_falls():
    policy = AddGaussianNoise(BOX, Always([0.0, 0.0], (2,)), 100, 1.0, 0.2, decay_ratio=0.5)
    policy.update(Steps(25))
    assert policy.sigma == pytest.approx(0.6)
    policy.update(Steps(50))
    assert policy.metrics() == {"Exploration/Noise": pytest.approx(0.2)}


def drifting(**options) -> AddOrnsteinUhlenbeckNoise:
    return AddOrnsteinUhlenbeckNoise(BOX, Always([0.0, 0.0], (2,)), **options)


def test_ornstein_uhlenbeck_noise_follows_its_equation():
    policy = drifting(mu=0.5, sigma=0.3, theta=0.2, dt=0.1, x0=1.0)
    policy.reset(np.array([True]))
    first = act(policy, 1, seed=4)
    shock = np.random.default_rng(4).standard_normal((1, 2))
    expected = 1.0 + 0.2 * (0.5 - 1.0) * 0.1 + 0.3 * np.sqrt(0.1) * shock
    assert np.allclose(first, expected, atol=1e-6)


def test_ornstein_uhlenbeck_noise_goes_on_from_call_to_call():
    policy = drifting(theta=0.0, dt=1.0)
    walks = np.stack([act(policy, 3, seed) for seed in range(20)])
    assert np.abs(np.diff(walks, axis=0)).mean() < np.abs(walks[-1]).mean()


def test_ornstein_uhlenbeck_noise_begins_anew_with_an_episode():
    policy = drifting(sigma=0.0, x0=2.0, theta=0.5, dt=1.0)
    act(policy, 3)
    policy.reset(np.array([False, True, False]))
    assert act(policy, 3)[:, 0].tolist() == [0.5, 1.0, 0.5]


def test_ornstein_uhlenbeck_noise_survives_pickling():
    policy = drifting()
    act(policy, 3)
    copy = pickle.loads(pickle.dumps(policy))
    assert np.array_equal(act(policy, 3, 1), act(copy, 3, 1))


def test_ornstein_uhlenbeck_noise_reports_what_it_tends_to():
    assert drifting(sigma=0.3, theta=0.5).metrics() == {"Exploration/Noise": pytest.approx(0.3)}


@pytest.mark.parametrize("make", [epsilon_greedy, drifting])
def test_resets_and_weights_are_those_of_the_policy_inside(make):
    policy = make()
    policy.reset(np.array([True]))
    assert len(policy.policy.resets) == 1
    assert policy.get_param_values() is policy.policy.output
    policy.set_param_values(np.zeros(2, np.float32))
    assert policy.policy.output.tolist() == [0.0, 0.0]


def test_arguments_are_taken_by_the_names_of_garage():
    policy = drifting()
    policy.reset(dones=np.array([True]))
    assert len(policy.policy.resets) == 1
    with pytest.raises(TypeError, match="expected a policy to explore around"):
        ExplorationPolicy(policy.env_spec)


def test_one_action_for_one_observation():
    action, infos = drifting().get_action(np.zeros(1))
    assert action.shape == (2,)
    assert infos == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_epsilon": 1.5}, "max_epsilon is a probability, got 1.5"),
        ({"min_epsilon": 0.5, "max_epsilon": 0.1}, "expected 0 <= min_epsilon <= max_epsilon"),
        ({"total_timesteps": 0}, "total_timesteps must be at least 1, got 0"),
        ({"decay_ratio": 0.0}, r"decay_ratio must be in \(0, 1\], got 0.0"),
    ],
)
def test_epsilon_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        epsilon_greedy(**options)


def test_noise_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"sigma=-1\.0 is out of range"):
        drifting(sigma=-1.0)
    with pytest.raises(ValueError, match=r"dt=0\.0 is out of range"):
        drifting(dt=0.0)
    with pytest.raises(ValueError, match="expected 0 <= min_sigma <= max_sigma"):
        AddGaussianNoise(BOX, Always([0.0], (2,)), 100, 0.1, 0.2)


def test_epsilon_greedy_needs_discrete_actions():
    with pytest.raises(ValueError, match="needs a Discrete action space"):
        EpsilonGreedyPolicy(BOX, greedy(), total_timesteps=10)


@pytest.mark.parametrize("cls", [AddGaussianNoise, AddOrnsteinUhlenbeckNoise])
def test_noise_needs_a_box(cls):
    arguments = (100,) if cls is AddGaussianNoise else ()
    with pytest.raises(ValueError, match="needs a Box action space"):
        cls(DISCRETE, greedy(), *arguments)
