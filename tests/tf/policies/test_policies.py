import cloudpickle
import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.tf.algos import VPG
from garage_like.tf.distributions import Categorical
from garage_like.tf.modules import MLP
from garage_like.tf.policies import (
    CategoricalCNNPolicy,
    CategoricalMLPPolicy,
    ContinuousMLPPolicy,
    GaussianMLPPolicy,
    StochasticPolicy,
)
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.quiet_import import tf

OBSERVATIONS = np.random.default_rng(0).uniform(-1, 1, (5, 3))
IN_NUMPY = {"hidden_nonlinearity": tf.tanh}
IN_TENSORFLOW = {"hidden_nonlinearity": tf.nn.gelu}
CLASSES = [CategoricalMLPPolicy, GaussianMLPPolicy, ContinuousMLPPolicy]


@pytest.fixture(params=CLASSES)
def policy(request, discrete_spec, continuous_spec):
    spec = discrete_spec if request.param is CategoricalMLPPolicy else continuous_spec
    return request.param(spec, hidden_sizes=(16, 8))


@pytest.fixture(params=[IN_NUMPY, IN_TENSORFLOW], ids=["in_numpy", "in_tensorflow"])
def options(request):
    return request.param


def test_an_actor_and_tensorflow_agree_on_categories(discrete_spec, options):
    policy = CategoricalMLPPolicy(discrete_spec, **options)
    actions, infos = policy.actor().act(OBSERVATIONS, np.random.default_rng(0))
    distribution = policy(policy.flatten(OBSERVATIONS))[0]
    expected = infos["logits"] - np.log(np.exp(infos["logits"]).sum(-1, keepdims=True))
    assert_allclose(distribution.logits, expected, rtol=1e-4, atol=1e-5)
    assert actions.shape == (5,)


def test_an_actor_and_tensorflow_agree_on_normal_numbers(continuous_spec, options):
    policy = GaussianMLPPolicy(continuous_spec, init_std=0.3, **options)
    actions, infos = policy.actor().act(OBSERVATIONS, np.random.default_rng(0))
    distribution, tensors = policy(policy.flatten(OBSERVATIONS))
    assert_allclose(distribution.mean, infos["mean"], rtol=1e-4, atol=1e-6)
    assert_allclose(distribution.log_std, infos["log_std"], rtol=1e-5)
    assert_allclose(tensors["log_std"], np.log([0.3, 0.3]), rtol=1e-5)
    assert actions.shape == (5, 2, 1)


def test_an_actor_and_tensorflow_agree_on_continuous_actions(options):
    low, high = np.array([-2.0, 0.0], np.float32), np.array([2.0, 10.0], np.float32)
    box = gymnasium.spaces.Box(low, high)
    policy = ContinuousMLPPolicy(EnvSpec(gymnasium.spaces.Box(-1, 1, (3,)), box), (8,), **options)
    actions, infos = policy.get_actions(OBSERVATIONS)
    assert_allclose(policy(policy.flatten(OBSERVATIONS)), actions, rtol=1e-4, atol=1e-5)
    assert all(box.contains(action) for action in actions)
    assert infos == {}


def test_a_policy_looks_at_images():
    space = gymnasium.spaces.Box(0, 255, (12, 12, 3), np.uint8)
    policy = CategoricalCNNPolicy(
        EnvSpec(space, gymnasium.spaces.Discrete(3)), kernel_sizes=(4, 2), strides=(2, 1)
    )
    images = np.random.default_rng(0).integers(256, size=(2, 12, 12, 3), dtype=np.uint8)
    actions, infos = policy.get_actions(images)
    assert actions.shape == (2,)
    assert_allclose(infos["logits"], policy.cnn(policy.flatten(images)), rtol=1e-5)


class CountingNetwork(MLP):
    """Count how often it is traced, or called outside of a trace."""

    calls = 0

    def __call__(self, x):
        type(self).calls += 1
        return super().__call__(x)


def test_a_network_that_acts_in_tensorflow_is_traced_once(discrete_spec):
    policy = CategoricalMLPPolicy(discrete_spec, **IN_TENSORFLOW)
    policy.mlp = CountingNetwork(3, 4, (8,), tf.nn.gelu)
    for _ in range(3):
        policy.actor().act(OBSERVATIONS, np.random.default_rng(0))
    assert CountingNetwork.calls == 1


class KerasPolicy(StochasticPolicy):
    """Choose with the probabilities that a Keras model gives."""

    def __init__(self, env_spec):
        super().__init__(env_spec)
        self.model = tf.keras.Sequential(
            [tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(4)]
        )
        self.model.build((None, 3))

    def __call__(self, observations):
        return Categorical(self.model(observations)), {}

    def actor(self):
        return CategoricalActor(TFNetwork(self.model), self.env_spec.observation_space)


def test_a_keras_model_may_be_a_policys_network(discrete_spec, make_episodes):
    policy = KerasPolicy(discrete_spec)
    algo = VPG(discrete_spec, policy, LinearFeatureBaseline(discrete_spec), None)
    before = policy.get_param_values()
    assert before.shape == (3 * 8 + 8 + 8 * 4 + 4,)
    algo._policy_optimizer.minimize(
        lambda rows: -tf.reduce_mean(policy(rows)[0].entropy()), np.ones((9, 3), np.float32)
    )
    assert not np.array_equal(policy.get_param_values(), before)
    _, infos = policy.get_action(OBSERVATIONS[0].astype(np.float32))
    assert_allclose(
        infos["logits"], policy.model(OBSERVATIONS[:1].astype(np.float32))[0], rtol=1e-4
    )


def test_an_actor_sees_the_weights_of_its_making(policy):
    actor, before = policy.actor(), policy.get_param_values()
    first = actor.act(OBSERVATIONS, np.random.default_rng(1))[0]
    policy.set_param_values(before + 0.5)
    assert_array_equal(actor.act(OBSERVATIONS, np.random.default_rng(1))[0], first)
    later = policy.actor().act(OBSERVATIONS, np.random.default_rng(1))[0]
    policy.set_param_values(before)
    assert_array_equal(policy.actor().act(OBSERVATIONS, np.random.default_rng(1))[0], first)
    if later.dtype == np.float32:
        assert not np.array_equal(later, first)


def test_one_action_has_the_shape_of_the_space(policy):
    action, infos = policy.get_action(OBSERVATIONS[0])
    assert policy.env_spec.action_space.contains(action) or isinstance(policy, GaussianMLPPolicy)
    assert np.shape(action) == policy.env_spec.action_space.shape
    assert all(value.ndim == 1 for value in infos.values())
    policy.reset()


def test_a_pickled_policy_draws_on_the_same(policy):
    policy.get_actions(OBSERVATIONS)
    twin = cloudpickle.loads(cloudpickle.dumps(policy))
    for _ in range(3):
        ours, theirs = policy.get_actions(OBSERVATIONS)[0], twin.get_actions(OBSERVATIONS)[0]
        assert_array_equal(ours, theirs)


def test_a_vector_of_another_length_is_refused(policy):
    with pytest.raises(ValueError, match=r"expected a vector of \d+ numbers as get_param_values"):
        policy.set_param_values(np.zeros(3))


@pytest.mark.parametrize("parameterization", ["exp", "softplus"])
def test_deviations_start_and_stay_where_they_are_told(continuous_spec, parameterization):
    policy = GaussianMLPPolicy(
        continuous_spec,
        init_std=0.5,
        min_std=0.25,
        max_std=2.0,
        std_parameterization=parameterization,
    )
    assert_allclose(np.exp(policy.log_std), [0.5, 0.5], rtol=1e-5)
    for number, limit in ((-9.0, 0.25), (9.0, 2.0)):
        policy.std_parameter.assign([number, number])
        assert_allclose(np.exp(policy.log_std), [limit, limit], rtol=1e-5)


def test_fixed_deviations_are_no_parameters(continuous_spec):
    learned, fixed = (
        GaussianMLPPolicy(continuous_spec, learn_std=learn) for learn in (True, False)
    )
    assert len(learned.get_param_values()) - len(fixed.get_param_values()) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"std_parameterization": "log"}, "must be 'exp' or 'softplus', got 'log'"),
        ({"init_std": 0.0}, "expected 0 < min_std <= init_std <= max_std"),
        ({"max_std": 0.5}, "expected 0 < min_std <= init_std <= max_std, got 1e-06, 1.0, 0.5"),
    ],
)
def test_contradicting_deviations_are_refused(continuous_spec, options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMLPPolicy(continuous_spec, **options)


@pytest.mark.parametrize("cls", [CategoricalMLPPolicy, CategoricalCNNPolicy])
def test_categories_need_a_discrete_space(cls, continuous_spec):
    with pytest.raises(ValueError, match=f"{cls.__name__} needs actions 0 to n - 1"):
        cls(continuous_spec)


@pytest.mark.parametrize("cls", [GaussianMLPPolicy, ContinuousMLPPolicy])
def test_continuous_actions_need_a_box(cls, discrete_spec):
    with pytest.raises(ValueError, match=f"{cls.__name__} needs a Box action space, got Discrete"):
        cls(discrete_spec)
