"""Recurrent policies in torch: they act as they learn, and as those in TensorFlow do."""

from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from garage_like.envs import GymEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.seeding import set_seed
from garage_like.torch import policies
from garage_like.torch.algos import PPO, TRPO, VPG

NAMES = ["CategoricalGRUPolicy", "CategoricalLSTMPolicy", "GaussianGRUPolicy", "GaussianLSTMPolicy"]

QUICK = [("VPG", "CategoricalGRUPolicy"), ("TRPO", "GaussianLSTMPolicy")]


def env_for(name):
    env_id = "CartPole-v1" if name.startswith("Categorical") else "Pendulum-v1"
    return GymEnv(env_id, max_episode_length=20)


def collected(policy, env, num_samples=100):
    """Return fragments of episodes, some of which go on from the batch before."""
    at_once = {"worker_class": FragmentWorker, "worker_args": {"n_envs": 3}}
    sampler = LocalSampler(policy, env, **at_once)
    sampler.obtain_samples(0, 40)
    return sampler.obtain_samples(1, num_samples)


@pytest.mark.parametrize("name", [*NAMES, "CategoricalCfCPolicy", "GaussianCfCPolicy"])
def test_updates_see_what_was_acted_on(name):
    set_seed(1)
    env = env_for(name)
    policy = getattr(policies, name)(env.spec, hidden_dim=6)
    episodes = collected(policy, env)
    distribution = policy(policy.inputs(episodes))[0]
    if name.startswith("Categorical"):
        ours, acted = distribution.logits, torch.as_tensor(episodes.agent_infos["logits"])
        ours, acted = ours.detach(), acted.log_softmax(1)
    else:
        ours, acted = distribution.mean.detach(), episodes.agent_infos["mean"]
    assert_allclose(ours, acted, rtol=1e-4, atol=1e-5)
    some = policy.inputs(episodes)[np.array([3, 1, 50])]
    assert len(some) == 3
    again = policy(some)[0].log_prob(torch.as_tensor(episodes.actions[[3, 1, 50]]))
    everything = distribution.log_prob(torch.as_tensor(episodes.actions))
    assert_allclose(again.detach(), everything[[3, 1, 50]].detach(), rtol=1e-5)


def test_what_is_remembered_is_forgotten_where_an_episode_ends():
    set_seed(1)
    env = env_for("GaussianGRUPolicy")
    policy = policies.GaussianGRUPolicy(env.spec, hidden_dim=6)
    observations = np.ones((2, 3), np.float32)
    first = policy.get_actions(observations)[1]["mean"]
    second = policy.get_actions(observations)[1]["mean"]
    policy.reset(np.array([True, False]))
    third = policy.get_actions(observations)[1]["mean"]
    assert_allclose(first[0], third[0])
    assert not np.allclose(first, second)
    assert not np.allclose(third[1], first[1])


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.slow)
        for pair in product(("VPG", "PPO", "TRPO"), NAMES)
    ],
)
def test_losses_and_gradients_are_those_of_tensorflow(algorithm, name):
    pytest.importorskip("tensorflow")
    from garage_like.tf import algos as tf_algos
    from garage_like.tf import policies as tf_policies
    from garage_like.tf.quiet_import import tf

    set_seed(1)
    env = env_for(name)
    policy = getattr(policies, name)(env.spec, hidden_dim=6)
    other = getattr(tf_policies, name)(env.spec, hidden_dim=6)
    weights = ("input_weights", "state_weights", "biases")
    pairs = [(getattr(other.cell, w), getattr(policy.cell, w)) for w in weights]
    pairs += [
        (other.output_weights, policy.output.weight.T),
        (other.output_biases, policy.output.bias),
    ]
    for theirs, ours in pairs:
        theirs.assign(ours.detach().numpy())
    episodes, baseline = collected(policy, env), LinearFeatureBaseline(env.spec)
    rng = np.random.default_rng(0)
    advantages, noise = rng.normal(size=(2, episodes.num_steps)).astype(np.float32)
    in_torch = {"VPG": VPG, "PPO": PPO, "TRPO": TRPO}[algorithm](env.spec, policy, baseline)
    in_tf = getattr(tf_algos, algorithm)(env.spec, other, baseline)

    actions = in_torch._actions(episodes)
    data = torch.as_tensor(advantages), torch.as_tensor(0.3 * noise - 1.0)
    loss = in_torch._loss(policy.inputs(episodes), actions, *data)
    gradients = torch.autograd.grad(loss, [policy.cell.state_weights, policy.output.weight])
    with tf.GradientTape() as tape:
        expected = in_tf._loss(
            other.inputs(episodes), actions.numpy(), advantages, 0.3 * noise - 1.0
        )
    theirs = tape.gradient(expected, [other.cell.state_weights, other.output_weights])
    assert_allclose(loss.item(), float(expected), rtol=1e-5)
    assert_allclose(gradients[0], theirs[0], rtol=1e-3, atol=1e-5)
    assert_allclose(gradients[1].T, theirs[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: policies.GaussianGRUPolicy(env_for("Categorical").spec), "needs a Box"),
        (lambda: policies.CategoricalGRUPolicy(env_for("Gaussian").spec), "actions 0 to n - 1"),
        (
            lambda: policies.GaussianLSTMPolicy(env_for("Gaussian").spec, hidden_dim=0),
            "hidden_dim must be an integer of at least 1, got 0",
        ),
        (
            lambda: policies.GaussianLSTMPolicy(env_for("Gaussian").spec, init_std=0.0),
            "init_std must be positive, got 0.0",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.slow
def test_recurrent_trpo_holds_the_pole_up(learn):
    set_seed(1)
    env = GymEnv("CartPole-v1", max_episode_length=100)
    policy = policies.CategoricalGRUPolicy(env.spec, hidden_dim=16)
    algo = TRPO(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
    assert learn(algo, env, 90.0, 25, 2000)[-1] >= 90.0
