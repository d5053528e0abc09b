import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from garage_like.torch.algos import PPO, TRPO, VPG
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

RATIOS = np.array([0.5, 0.5, 1.1, 1.1, 1.5, 1.5])
ADVANTAGES = np.array([2.0, -2.0, 2.0, -2.0, 2.0, -2.0])


def make(algorithm, spec, **options):
    return algorithm(
        spec, CategoricalMLPPolicy(spec), GaussianMLPValueFunction(spec), None, **options
    )


@pytest.fixture
def data(discrete_spec):
    """Return observations, actions and log-probabilities of four actions, as `_loss` takes them."""
    rng = np.random.default_rng(0)
    observations = torch.from_numpy(rng.uniform(-1, 1, (6, 3)).astype(np.float32))
    return observations, torch.from_numpy(rng.integers(4, size=6))


def probabilities(algo, data):
    """Compute the policy's action probabilities, shape (N, 4), and those of the actions, (N,)."""
    logits = algo.policy.mlp(data[0]).detach().numpy().astype(float)
    every = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return every, every[np.arange(6), data[1].numpy()]


def loss_of(algo, data):
    """Evaluate the loss where the likelihood ratios are RATIOS."""
    _, chosen = probabilities(algo, data)
    old_log_probs = torch.tensor(np.log(chosen / RATIOS), dtype=torch.float32)
    return algo._loss(*data, torch.tensor(ADVANTAGES, dtype=torch.float32), old_log_probs)


def test_vpg_weighs_log_probabilities_by_advantages(discrete_spec, data):
    algo = make(VPG, discrete_spec)
    _, chosen = probabilities(algo, data)
    assert_allclose(loss_of(algo, data).item(), -np.mean(np.log(chosen) * ADVANTAGES), rtol=1e-5)


def test_trpo_weighs_likelihood_ratios_by_advantages(discrete_spec, data):
    loss = loss_of(make(TRPO, discrete_spec), data)
    assert_allclose(loss.item(), -np.mean(RATIOS * ADVANTAGES), atol=1e-6)


def test_ppo_clips_likelihood_ratios(discrete_spec, data):
    loss = loss_of(make(PPO, discrete_spec, lr_clip_range=0.2), data)
    # min(r A, clip(r, 0.8, 1.2) A) of each pair above: 1, -1.6, 2.2, -2.2, 2.4, -3.
    assert_allclose(loss.item(), 1.2 / 6, atol=1e-6)


def gradient(algo, data):
    grads = torch.autograd.grad(loss_of(algo, data), algo.policy.mlp.output.bias)
    return grads[0].numpy()


def test_the_gradient_of_ppo_is_that_of_the_unclipped_rows(discrete_spec, data):
    algo = make(PPO, discrete_spec, lr_clip_range=0.2)
    every, _ = probabilities(algo, data)
    # d r / d logits = r (one-hot - probabilities); rows 1 and 4 are clipped and push no more.
    counts = np.array([1, 0, 1, 1, 0, 1])
    rows = (counts * RATIOS * ADVANTAGES)[:, None] * (np.eye(4)[data[1].numpy()] - every)
    assert_allclose(gradient(algo, data), -rows.mean(axis=0), atol=1e-6)


def entropies(algo, data):
    every, _ = probabilities(algo, data)
    return -(every * np.log(every)).sum(axis=1)


@pytest.mark.parametrize("algorithm", [VPG, PPO, TRPO])
def test_regularization_adds_entropy_to_the_objective(discrete_spec, data, algorithm):
    algo = make(algorithm, discrete_spec)
    plain = loss_of(algo, data).item()
    algo._entropy_method, algo._policy_ent_coeff = "regularized", 0.5
    expected = plain - 0.5 * entropies(algo, data).mean()
    assert_allclose(loss_of(algo, data).item(), expected, rtol=1e-5)


def test_entropy_may_pass_through_softplus(discrete_spec, data):
    options = {"entropy_method": "regularized", "policy_ent_coeff": 0.5}
    algo = make(PPO, discrete_spec, use_softplus_entropy=True, **options)
    entropy = np.log1p(np.exp(entropies(algo, data))).mean()
    assert_allclose(loss_of(algo, data).item(), 0.2 - 0.5 * entropy, rtol=1e-5)


def test_a_stopped_entropy_has_no_gradient(discrete_spec, data):
    options = {"entropy_method": "regularized", "policy_ent_coeff": 0.5}
    algo = make(PPO, discrete_spec, **options)
    moving = gradient(algo, data)
    algo._stop_entropy_gradient = True
    stopped = gradient(algo, data)
    algo._entropy_method = "no_entropy"
    assert_allclose(stopped, gradient(algo, data), atol=1e-7)
    assert not np.allclose(stopped, moving, atol=1e-4)


def test_maximum_entropy_asks_for_the_entropy_of_each_row(discrete_spec, make_episodes):
    episodes = make_episodes(discrete_spec, 6)
    algo = make(VPG, discrete_spec)
    every, _ = probabilities(algo, (torch.from_numpy(episodes.observations), torch.zeros(6).long()))
    expected = -(every * np.log(every)).sum(axis=1)
    assert_allclose(algo._entropies(episodes), expected, rtol=1e-5)


@pytest.mark.parametrize("clip", [0.0, 1.0, -0.2])
def test_a_clip_range_must_lie_between_0_and_1(discrete_spec, clip):
    with pytest.raises(ValueError, match="lr_clip_range must lie between 0 and 1"):
        make(PPO, discrete_spec, lr_clip_range=clip)


@pytest.mark.parametrize("name", ["policy_optimizer", "vf_optimizer"])
def test_an_optimizer_must_be_wrapped(discrete_spec, name):
    raw = torch.optim.Adam(nn.Linear(1, 1).parameters())
    with pytest.raises(TypeError, match=f"PPO: {name} must be an OptimizerWrapper, such as"):
        make(PPO, discrete_spec, **{name: raw})


def test_trpo_needs_a_conjugate_gradient_optimizer(discrete_spec):
    wrapper = OptimizerWrapper(torch.optim.Adam, nn.Linear(1, 1))
    with pytest.raises(TypeError, match="must wrap a ConjugateGradientOptimizer"):
        make(TRPO, discrete_spec, policy_optimizer=wrapper)
