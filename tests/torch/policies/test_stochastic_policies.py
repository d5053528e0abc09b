import cloudpickle
import gymnasium
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy

OBSERVATIONS = np.random.default_rng(0).uniform(-1, 1, (5, 3))
IN_NUMPY = {"hidden_nonlinearity": torch.tanh}
IN_TORCH = {"hidden_nonlinearity": nn.GELU}


def make(discrete_spec, continuous_spec, policy_class, **options):
    spec = discrete_spec if policy_class is CategoricalMLPPolicy else continuous_spec
    return policy_class(spec, hidden_sizes=(16, 8), **options)


@pytest.fixture(params=[CategoricalMLPPolicy, GaussianMLPPolicy])
def policy(request, discrete_spec, continuous_spec):
    return make(discrete_spec, continuous_spec, request.param)


@pytest.fixture(params=[IN_NUMPY, IN_TORCH], ids=["in_numpy", "in_torch"])
def options(request):
    return request.param


def distribution(policy):
    with torch.no_grad():
        return policy(policy.flatten(OBSERVATIONS))[0]


def test_an_actor_and_torch_agree_on_categories(discrete_spec, options):
    policy = CategoricalMLPPolicy(discrete_spec, **options)
    _, infos = policy.actor().act(OBSERVATIONS, np.random.default_rng(0))
    ours = torch.distributions.Categorical(logits=torch.from_numpy(infos["logits"]))
    assert_allclose(ours.probs, distribution(policy).probs, rtol=1e-5)


@pytest.mark.parametrize("parameterization", ["exp", "softplus"])
def test_an_actor_and_torch_agree_on_gaussians(continuous_spec, options, parameterization):
    policy = GaussianMLPPolicy(
        continuous_spec, init_std=0.3, std_parameterization=parameterization, **options
    )
    _, infos = policy.actor().act(OBSERVATIONS, np.random.default_rng(0))
    expected = distribution(policy)
    assert_allclose(infos["mean"], expected.mean, rtol=1e-5, atol=1e-6)
    assert_allclose(np.exp(infos["log_std"]), expected.stddev, rtol=1e-5)
    assert_allclose(expected.stddev, np.full((5, 2), 0.3), rtol=1e-5)


def test_one_row_and_many_are_acted_on_alike(policy):
    together, apart = policy.actor(), np.random.default_rng(2)
    actions, _ = together.act(OBSERVATIONS, np.random.default_rng(2))
    one_by_one = [together.act(o[None], apart)[0] for o in OBSERVATIONS]
    assert_allclose(actions, np.concatenate(one_by_one), rtol=1e-5, atol=1e-6)


def test_actions_lie_in_the_action_space(policy):
    space = policy.env_spec.action_space
    action, infos = policy.get_action(OBSERVATIONS[0])
    actions, _ = policy.get_actions(OBSERVATIONS)
    assert np.shape(action) == space.shape
    assert actions.shape == (5, *space.shape)
    assert actions.dtype == (np.int64 if policy.env_spec.is_discrete else np.float32)
    assert all(value.ndim == 1 for value in infos.values())


@pytest.mark.parametrize("policy_class", [CategoricalMLPPolicy, GaussianMLPPolicy])
def test_acting_draws_nothing_from_torch(discrete_spec, continuous_spec, policy_class, options):
    policy = make(discrete_spec, continuous_spec, policy_class, **options)
    before = torch.get_rng_state()
    policy.get_actions(OBSERVATIONS)
    first = policy.actor().act(OBSERVATIONS, np.random.default_rng(3))[0]
    second = policy.actor().act(OBSERVATIONS, np.random.default_rng(3))[0]
    assert_array_equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_parameters_come_and_go_as_one_vector(policy):
    other = cloudpickle.loads(cloudpickle.dumps(policy))
    changed = policy.get_param_values() + np.float32(0.5)
    assert changed.shape == (sum(p.numel() for p in policy.parameters()),)
    other.set_param_values(changed.astype(np.float64))
    assert_array_equal(other.get_param_values(), changed)
    for ours, theirs in zip(policy.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours + 0.5, theirs)


def test_parameters_are_replaced_in_place(policy):
    addresses = [parameter.data_ptr() for parameter in policy.parameters()]
    policy.set_param_values(policy.get_param_values() * 2.0)
    assert addresses == [parameter.data_ptr() for parameter in policy.parameters()]


def test_what_get_param_values_returns_is_a_copy(policy):
    before = policy.get_param_values()
    policy.get_param_values()[:] = 0.0
    assert_array_equal(policy.get_param_values(), before)


def test_a_state_dict_is_taken_as_well(policy):
    other = cloudpickle.loads(cloudpickle.dumps(policy))
    policy.set_param_values(policy.get_param_values() * 2.0)
    other.set_param_values(policy.state_dict())
    assert_array_equal(other.get_param_values(), policy.get_param_values())


def test_the_wrong_number_of_parameters_is_refused(policy):
    with pytest.raises(ValueError, match=r"expected a vector of \d+ numbers .* got shape \(2,\)"):
        policy.set_param_values(np.zeros(2))


def test_a_pickled_policy_goes_on_the_same(policy):
    policy.get_actions(OBSERVATIONS)
    twin = cloudpickle.loads(cloudpickle.dumps(policy))
    assert_array_equal(twin.get_actions(OBSERVATIONS)[0], policy.get_actions(OBSERVATIONS)[0])


def test_discrete_observations_are_one_hot():
    spec = EnvSpec(gymnasium.spaces.Discrete(6), gymnasium.spaces.Discrete(2))
    policy = CategoricalMLPPolicy(spec)
    action, _ = policy.get_action(4)
    assert action in (0, 1)
    assert_array_equal(policy.flatten(np.array([4])), [[0, 0, 0, 0, 1, 0]])


def test_a_standard_deviation_may_be_fixed(continuous_spec):
    policy = GaussianMLPPolicy(continuous_spec, learn_std=False, init_std=0.5)
    names = [name for name, _ in policy.named_parameters()]
    assert "std_parameter" not in names
    assert_allclose(policy.log_std, np.log([0.5, 0.5]), rtol=1e-6)
    learned = [name for name, _ in GaussianMLPPolicy(continuous_spec).named_parameters()]
    assert set(learned) == {*names, "std_parameter"}


def test_standard_deviations_stay_within_their_limits(continuous_spec):
    policy = GaussianMLPPolicy(continuous_spec, min_std=0.5, init_std=1.0, max_std=2.0)
    for parameter, std in ((-5.0, 0.5), (0.0, 1.0), (5.0, 2.0)):
        with torch.no_grad():
            policy.std_parameter.fill_(parameter)
        assert_allclose(distribution(policy).stddev, np.full((5, 2), std), rtol=1e-6)
        _, infos = policy.get_actions(OBSERVATIONS)
        assert_allclose(np.exp(infos["log_std"]), np.full((5, 2), std), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"init_std": 0.1, "min_std": 0.5},
            r"min_std <= init_std <= max_std, got 0\.5, 0\.1, None",
        ),
        ({"init_std": 3.0, "max_std": 2.0}, r"got 1e-06, 3\.0, 2\.0"),
        ({"min_std": 0.0}, r"expected 0 < min_std"),
        ({"std_parameterization": "log"}, "must be 'exp' or 'softplus', got 'log'"),
    ],
)
def test_contradictory_standard_deviations_are_refused(continuous_spec, options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMLPPolicy(continuous_spec, **options)


def test_a_gaussian_policy_refuses_discrete_actions(discrete_spec):
    with pytest.raises(ValueError, match="needs a Box action space, got Discrete"):
        GaussianMLPPolicy(discrete_spec)


def test_a_categorical_policy_refuses_what_does_not_count_from_0(continuous_spec):
    space = gymnasium.spaces.Discrete(3, start=1)
    for spec in (continuous_spec, EnvSpec(continuous_spec.observation_space, space)):
        with pytest.raises(ValueError, match="needs actions 0 to n - 1"):
            CategoricalMLPPolicy(spec)
