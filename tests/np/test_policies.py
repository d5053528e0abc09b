import cloudpickle
import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.data.env_spec import EnvSpec
from garage_like.np.policies import CategoricalMLPPolicy, ContinuousMLPPolicy, GaussianMLPPolicy

OBSERVATIONS = np.random.default_rng(0).uniform(-1, 1, (5, 3))


@pytest.fixture(params=[CategoricalMLPPolicy, ContinuousMLPPolicy, GaussianMLPPolicy])
def policy(request, discrete_spec, continuous_spec):
    discrete = request.param is CategoricalMLPPolicy
    return request.param(discrete_spec if discrete else continuous_spec, hidden_sizes=(8,))


def act(policy, seed=3):
    return policy.actor().act(OBSERVATIONS, np.random.default_rng(seed))[0]


def test_actions_lie_in_the_action_space(policy):
    space = policy.env_spec.action_space
    action, infos = policy.get_action(OBSERVATIONS[0])
    actions, _ = policy.get_actions(OBSERVATIONS)
    assert np.shape(action) == space.shape
    assert actions.shape == (5, *space.shape)
    assert all(value.ndim == 1 for value in infos.values())
    if isinstance(space, gymnasium.spaces.Discrete):
        assert all(space.contains(chosen) for chosen in actions)


def test_parameters_come_and_go_as_one_vector(policy):
    other = cloudpickle.loads(cloudpickle.dumps(policy))
    changed = policy.get_param_values() + np.float32(0.5)
    policy.set_param_values(changed)
    assert not np.array_equal(act(policy), act(other))
    other.set_param_values(changed)
    assert_array_equal(act(policy), act(other))
    assert_array_equal(policy.get_param_values(), changed)


def test_what_get_param_values_returns_is_a_copy(policy):
    before = act(policy)
    policy.get_param_values()[:] = 0.0
    assert_array_equal(act(policy), before)


def test_an_actor_acts_by_its_callers_generator_alone(policy):
    policy.get_actions(OBSERVATIONS)
    first = act(policy)
    policy.get_actions(OBSERVATIONS)
    assert_array_equal(act(policy), first)


def test_a_pickled_policy_goes_on_the_same(policy):
    policy.get_actions(OBSERVATIONS)
    twin = cloudpickle.loads(cloudpickle.dumps(policy))
    assert_array_equal(twin.get_actions(OBSERVATIONS)[0], policy.get_actions(OBSERVATIONS)[0])


def test_the_wrong_number_of_parameters_is_refused(policy):
    with pytest.raises(ValueError, match=r"expected a vector of \d+ numbers .* got shape \(2,\)"):
        policy.set_param_values(np.zeros(2))


def test_a_gaussian_policy_starts_at_its_standard_deviation(continuous_spec):
    policy = GaussianMLPPolicy(continuous_spec, init_std=0.5)
    _, infos = policy.get_action(OBSERVATIONS[0])
    assert_array_equal(infos["log_std"], np.log(np.array([0.5, 0.5])).astype(np.float32))


def test_nonlinearities_may_be_named(discrete_spec):
    by_name = CategoricalMLPPolicy(discrete_spec, hidden_nonlinearity="tanh")
    by_function = CategoricalMLPPolicy(discrete_spec, hidden_nonlinearity=np.tanh)
    relu = CategoricalMLPPolicy(discrete_spec, hidden_nonlinearity="relu")
    logits = [p.get_actions(OBSERVATIONS)[1]["logits"] for p in (by_name, by_function, relu)]
    assert_array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[0], logits[2])


def test_an_unknown_nonlinearity_is_refused(discrete_spec):
    with pytest.raises(ValueError, match=r"must be one of tanh, relu, .* got 'tahn'"):
        CategoricalMLPPolicy(discrete_spec, hidden_nonlinearity="tahn")


@pytest.mark.parametrize("policy_class", [GaussianMLPPolicy, ContinuousMLPPolicy])
def test_continuous_policies_refuse_discrete_actions(discrete_spec, policy_class):
    with pytest.raises(ValueError, match="needs a Box action space, got Discrete"):
        policy_class(discrete_spec)


def test_a_categorical_policy_refuses_what_does_not_count_from_0(continuous_spec):
    space = gymnasium.spaces.Discrete(3, start=1)
    for spec in (continuous_spec, EnvSpec(continuous_spec.observation_space, space)):
        with pytest.raises(ValueError, match="needs actions 0 to n - 1"):
            CategoricalMLPPolicy(spec)


def test_a_gaussian_policy_refuses_a_deviation_of_0(continuous_spec):
    with pytest.raises(ValueError, match="init_std must be positive, got 0"):
        GaussianMLPPolicy(continuous_spec, init_std=0)
