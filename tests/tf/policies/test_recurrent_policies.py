import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.envs import GymEnv
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler
from garage_like.tf.policies import (
    CategoricalGRUPolicy,
    CategoricalLSTMPolicy,
    GaussianGRUPolicy,
    GaussianLSTMPolicy,
)

CATEGORICAL = [CategoricalGRUPolicy, CategoricalLSTMPolicy]
GAUSSIAN = [GaussianGRUPolicy, GaussianLSTMPolicy]
POLICIES = pytest.mark.parametrize("policy_class", [*CATEGORICAL, *GAUSSIAN])
WORKERS = {"default": (DefaultWorker, {}), "fragment": (FragmentWorker, {"n_envs": 2})}


def make_env(policy_class):
    name = "CartPole-v1" if policy_class in CATEGORICAL else "Pendulum-v1"
    return GymEnv(name, max_episode_length=30)


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("state_include_action", [True, False])
@POLICIES
def test_updates_see_the_distributions_that_were_acted_by(
    policy_class, state_include_action, worker
):
    env = make_env(policy_class)
    policy = policy_class(env.spec, hidden_dim=8, state_include_action=state_include_action)
    worker_class, worker_args = WORKERS[worker]
    sampler = LocalSampler(policy, env, worker_class=worker_class, worker_args=worker_args, seed=1)
    sampler.obtain_samples(0, 25)
    episodes = sampler.obtain_samples(1, 100)
    if worker == "fragment":
        assert episodes.episode_infos_by_episode["Memory"].any()
    distribution, _ = policy(policy.inputs(episodes))
    if policy_class in GAUSSIAN:
        assert_allclose(distribution.mean, episodes.agent_infos["mean"], rtol=1e-5, atol=1e-5)
        return
    acted_by = episodes.agent_infos["logits"]
    normalised = acted_by - np.log(np.exp(acted_by).sum(axis=1, keepdims=True))
    assert_allclose(distribution.logits, normalised, rtol=1e-5, atol=1e-5)


@POLICIES
def test_get_action_remembers_until_it_is_reset(policy_class):
    env = make_env(policy_class)
    policy = policy_class(env.spec, hidden_dim=8)
    key = "logits" if policy_class in CATEGORICAL else "mean"
    observation = np.ones(env.spec.observation_dim, np.float32)
    first = policy.get_action(observation)[1][key]
    assert np.abs(policy.get_action(observation)[1][key] - first).max() > 1e-4
    policy.reset()
    assert_array_equal(policy.get_action(observation)[1][key], first)


def test_reset_forgets_chosen_episodes():
    policy = CategoricalGRUPolicy(make_env(CategoricalGRUPolicy).spec, hidden_dim=8)
    observations = np.ones((3, 4), np.float32)
    first = policy.get_actions(observations)[1]["logits"]
    policy.reset(np.array([False, True, False]))
    second = policy.get_actions(observations)[1]["logits"]
    assert (np.abs(second - first).max(axis=1) > 1e-4).tolist() == [True, False, True]


@POLICIES
def test_a_pickle_acts_on_with_the_same_memory(policy_class):
    policy = policy_class(make_env(policy_class).spec, hidden_dim=8)
    observation = np.ones(policy.env_spec.observation_dim, np.float32)
    policy.get_action(observation)
    twin = cloudpickle.loads(cloudpickle.dumps(policy))
    for _ in range(3):
        assert_array_equal(policy.get_action(observation)[0], twin.get_action(observation)[0])


@POLICIES
def test_weights_of_one_policy_fit_another(policy_class):
    spec = make_env(policy_class).spec
    ours, theirs = policy_class(spec, hidden_dim=8), policy_class(spec, hidden_dim=8)
    assert not np.array_equal(ours.get_param_values(), theirs.get_param_values())
    theirs.set_param_values(ours.get_param_values())
    observation = np.ones(spec.observation_dim, np.float32)
    key = "logits" if policy_class in CATEGORICAL else "mean"
    assert_array_equal(ours.get_action(observation)[1][key], theirs.get_action(observation)[1][key])


def test_standard_deviations_may_stay_as_they_are():
    policy = GaussianGRUPolicy(make_env(GaussianGRUPolicy).spec, init_std=0.5, learn_std=False)
    assert_allclose(policy.log_std, np.log(0.5))
    assert all(variable is not policy.log_std for variable in policy.trainable_variables)


@pytest.mark.parametrize("policy_class", CATEGORICAL)
def test_a_box_is_no_choice(policy_class):
    with pytest.raises(ValueError, match=f"{policy_class.__name__} needs actions 0 to n - 1"):
        policy_class(make_env(GaussianGRUPolicy).spec)


@pytest.mark.parametrize("policy_class", GAUSSIAN)
def test_a_choice_is_no_box(policy_class):
    with pytest.raises(ValueError, match=f"{policy_class.__name__} needs a Box action space"):
        policy_class(make_env(CategoricalGRUPolicy).spec)


def test_standard_deviations_must_be_positive():
    with pytest.raises(ValueError, match="GaussianLSTMPolicy: init_std must be positive, got 0"):
        GaussianLSTMPolicy(make_env(GaussianLSTMPolicy).spec, init_std=0)
