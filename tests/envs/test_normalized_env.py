import cloudpickle
import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import EnvStep, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GridWorldEnv, GymEnv, NormalizedEnv, normalize
from garage_like.interfaces import Environment


class Recorder(Environment):
    """Says back what it was told; observations and rewards are scripted."""

    def __init__(self, low, high, observations=((0.0, 0.0),), rewards=(1.0,)):
        self._spec = EnvSpec(
            gymnasium.spaces.Box(-np.inf, np.inf, np.shape(observations[0]), np.float64),
            gymnasium.spaces.Box(np.array(low, "f"), np.array(high, "f")),
            9,
        )
        self.observations, self.rewards, self.count = observations, rewards, 0
        self.actions = []

    action_space = property(lambda self: self._spec.action_space)
    observation_space = property(lambda self: self._spec.observation_space)
    spec = property(lambda self: self._spec)

    def _observe(self):
        return np.array(self.observations[self.count % len(self.observations)])

    def reset(self, *, seed=None):
        self.count = 0
        self.needs_reset = False
        return self._observe(), {}

    def step(self, action):
        self.actions.append(action)
        reward = self.rewards[self.count % len(self.rewards)]
        self.count += 1
        return EnvStep(self._spec, action, reward, self._observe(), {}, StepType.MID)


def test_actions_are_stretched_to_the_bounds_and_clipped():
    env = Recorder([-2.0, 0.0], [2.0, 10.0])
    normalized = normalize(env)
    for action in ([-1, -1], [0, 0], [1, 1], [3, -3], [0.5, 0.5]):
        normalized.step(np.array(action, np.float32))
    expected = [[-2, 0], [0, 5], [2, 10], [2, 0], [1, 7.5]]
    np.testing.assert_array_equal(env.actions, expected)


def test_expected_action_scale_stands_for_the_bounds():
    env = Recorder([-2.0], [2.0])
    normalize(env, expected_action_scale=5.0).step(np.array([5.0]))
    assert env.actions[0].tolist() == [2.0]


def test_unbounded_dimensions_are_left_alone():
    env = Recorder([-np.inf, -2.0], [np.inf, 2.0])
    normalized = normalize(env, expected_action_scale=0.5)
    normalized.step(np.array([7.25, 0.5]))
    assert env.actions[0].tolist() == [7.25, 2.0]
    assert normalized.action_space.low.tolist() == [-np.inf, -0.5]


def test_spec_tells_the_scale_of_actions_that_it_takes():
    spec = normalize(GymEnv("Pendulum-v1")).spec
    assert (spec.action_space.low.item(), spec.action_space.high.item()) == (-1.0, 1.0)
    assert spec.max_episode_length == 200


def test_step_holds_the_action_as_it_was_given():
    normalized = normalize(Recorder([-2.0], [2.0]))
    step = normalized.step(np.array([0.5]))
    assert step.action.tolist() == [0.5]
    assert step.env_spec is normalized.spec


def test_discrete_actions_and_observations_pass_unchanged():
    env = normalize(GridWorldEnv())
    assert env.reset()[0] == 0
    assert env.step(2).observation == 1
    assert env.spec.is_discrete


def test_rewards_are_scaled():
    assert normalize(Recorder([-1.0], [1.0]), scale_reward=0.1).step(np.zeros(1)).reward == 0.1


def test_running_statistics_follow_their_formulas():
    env = Recorder([-1.0], [1.0], observations=[(1.0, 2.0), (3.0, -2.0)], rewards=[4.0])
    normalized = normalize(
        env, normalize_obs=True, normalize_reward=True, obs_alpha=0.5, reward_alpha=0.25
    )
    first, _ = normalized.reset()
    # mean 0 + (x - 0) / 2, variance 1 + (x^2 - 1) / 2
    np.testing.assert_array_equal(normalized._obs_mean, [0.5, 1.0])
    np.testing.assert_array_equal(normalized._obs_var, [1.0, 2.5])
    np.testing.assert_allclose(first, [0.5, 1.0 / np.sqrt(2.5)], rtol=1e-6)
    step = normalized.step(np.zeros(1))
    np.testing.assert_array_equal(normalized._obs_mean, [1.75, -0.5])
    assert (normalized._reward_mean, normalized._reward_var) == (1.0, 4.75)
    assert step.reward == pytest.approx(4.0 / np.sqrt(4.75))


def test_statistics_converge_to_those_of_the_environment():
    rng = np.random.default_rng(0)
    env = Recorder([-1.0], [1.0], observations=rng.normal(3.0, 2.0, (4000, 1)))
    normalized = normalize(env, normalize_obs=True, obs_alpha=0.005)
    normalized.reset()
    seen = [normalized.step(np.zeros(1)).observation for _ in range(3999)][1500:]
    assert abs(np.mean(seen)) < 0.15
    assert abs(np.std(seen) - 1) < 0.15


@pytest.mark.parametrize(("flatten", "shape"), [(True, (6,)), (False, (2, 3))])
def test_flattens_normalised_observations_unless_told_not_to(flatten, shape):
    env = Recorder([-1.0], [1.0], observations=[np.ones((2, 3))])
    normalized = normalize(env, normalize_obs=True, flatten_obs=flatten)
    assert normalized.reset()[0].shape == normalized.observation_space.shape == shape


def test_leaves_observations_alone_by_default():
    env = Recorder([-1.0], [1.0], observations=[(5.0, 6.0)])
    assert normalize(env).reset()[0].tolist() == [5.0, 6.0]


def test_observations_keep_a_floating_dtype():
    env = normalize(GymEnv("Pendulum-v1"), normalize_obs=True)
    assert env.reset()[0].dtype == env.observation_space.dtype == np.float32
    assert env.observation_space.contains(env.step(np.zeros(1, np.float32)).observation)


def test_pickle_continues_in_the_middle_of_an_episode_with_its_statistics():
    env = normalize(GymEnv("Pendulum-v1"), normalize_obs=True, normalize_reward=True)
    env.reset(seed=1)
    for _ in range(5):
        env.step(env.action_space.sample())
    twin = cloudpickle.loads(cloudpickle.dumps(env))
    for _ in range(50):
        ours, theirs = env.step(env.action_space.sample()), twin.step(twin.action_space.sample())
        assert ours.observation.tobytes() == theirs.observation.tobytes()
        assert ours.reward == theirs.reward


@pytest.mark.parametrize("argument", ["obs_alpha", "reward_alpha"])
def test_alphas_must_be_weights(argument):
    with pytest.raises(ValueError, match=rf"{argument} must be in \(0, 1\], got 1.5"):
        normalize(Recorder([-1.0], [1.0]), **{argument: 1.5})


def test_action_scale_must_be_positive():
    with pytest.raises(ValueError, match="expected_action_scale must be positive and finite"):
        normalize(Recorder([-1.0], [1.0]), expected_action_scale=0.0)


def test_observations_that_are_no_numbers_cannot_be_normalised():
    with pytest.raises(ValueError, match="normalize_obs needs observations in a Box, got Discrete"):
        NormalizedEnv(GridWorldEnv(), normalize_obs=True)


def test_statistics_of_observations_can_be_set():
    env = NormalizedEnv(GymEnv("Pendulum-v1"), normalize_obs=True)
    env.set_observation_statistics(np.array([1.0, 2.0, 3.0]), np.array([4.0, 4.0, 4.0]))
    np.testing.assert_array_equal(env.observation_statistics, [[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]])
    assert NormalizedEnv(env.wrapped).observation_statistics is None


@pytest.mark.parametrize(
    ("mean", "variance", "message"),
    [
        ([0.0], [1.0], r"expected mean and variance of shape \(3,\), got \(1,\)"),
        ([0.0, 0.0, 0.0], [1.0, 1.0, -1.0], "variances from 0"),
        ([0.0, np.nan, 0.0], [1.0, 1.0, 1.0], "expected finite means"),
    ],
)
def test_statistics_that_are_none_are_refused(mean, variance, message):
    env = NormalizedEnv(GymEnv("Pendulum-v1"), normalize_obs=True)
    with pytest.raises(ValueError, match=message):
        env.set_observation_statistics(np.array(mean), np.array(variance))


def test_statistics_need_an_env_that_normalises():
    with pytest.raises(ValueError, match="normalize_obs is off"):
        NormalizedEnv(GymEnv("Pendulum-v1")).set_observation_statistics(np.ones(3), np.ones(3))
