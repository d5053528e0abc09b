"""Analytic gradients of policies and value functions against autograd's."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.compiled.binding import is_in_use
from garage_like.torch.algos import PPO, TRPO, VPG
from garage_like.torch.kernels.on_policy import MANY, distribution_of_many, value_gradient
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

SHAPES = st.fixed_dictionaries(
    {
        "width": st.integers(1, 5),
        "actions": st.integers(2, 5),
        "hidden": st.lists(st.integers(1, 33), min_size=1, max_size=3),
        "nonlinearity": st.sampled_from([torch.tanh, nn.ReLU]),
        "rows": st.integers(1, 70),
        "seed": st.integers(0, 2**20),
    }
)


def spec_of(shape, discrete):
    actions = (
        spaces.Discrete(shape["actions"])
        if discrete
        else spaces.Box(-1.0, 1.0, (shape["actions"],))
    )
    return EnvSpec(spaces.Box(-1.0, 1.0, (shape["width"],)), actions)


def data_for(shape, discrete):
    rng = np.random.default_rng(shape["seed"])
    rows = shape["rows"]
    observations = rng.normal(size=(rows, shape["width"])).astype(np.float32)
    if discrete:
        actions = rng.integers(shape["actions"], size=rows)
    else:
        actions = rng.normal(size=(rows, shape["actions"])).astype(np.float32)
    advantages = rng.normal(size=rows).astype(np.float32)
    return [torch.from_numpy(array) for array in (observations, actions, advantages)]


def assert_same_gradient(loss, flat, kernel, tensors):
    """Hold what the kernel writes to autograd's gradient, relative to its norm."""
    flat.zero_grad()
    loss(*tensors).backward()
    expected = flat.gradient.clone()
    flat.gradient.fill_(np.nan)
    kernel.differentiate(*(tensor.numpy() for tensor in tensors))
    error = (flat.gradient - expected).norm()
    assert error <= 1e-5 * expected.norm() + 1e-7


def build(algorithm, shape, discrete, **options):
    torch.manual_seed(shape["seed"])
    spec = spec_of(shape, discrete)
    cls = CategoricalMLPPolicy if discrete else GaussianMLPPolicy
    keywords = {
        "hidden_sizes": shape["hidden"],
        "hidden_nonlinearity": shape["nonlinearity"],
        "hidden_b_init": nn.init.normal_,
    }
    policy = cls(spec, **keywords)
    return algorithm(spec, policy, GaussianMLPValueFunction(spec, **keywords), **options)


@pytest.mark.parametrize("discrete", [True, False])
@pytest.mark.parametrize("algorithm", [PPO, VPG])
@pytest.mark.parametrize("weight", [0.0, 0.1])
@settings(max_examples=15, deadline=None)
@given(shape=SHAPES)
def test_policy_gradient_is_autograds(algorithm, discrete, weight, shape):
    method = "regularized" if weight else "no_entropy"
    algo = build(algorithm, shape, discrete, policy_ent_coeff=weight, entropy_method=method)
    observations, actions, advantages = data_for(shape, discrete)
    with torch.no_grad():
        now = algo.policy(observations)[0].log_prob(actions)
    # Ratios on both sides of the clip range, and none on its edge.
    old = now + torch.linspace(-0.41, 0.43, len(now))
    kernel, flat = algo._analytic_gradient(), algo._policy_optimizer.flat_adam()
    assert_same_gradient(algo._loss, flat, kernel, (observations, actions, advantages, old))


@pytest.mark.parametrize("options", [{}, {"learn_std": False}, {"init_std": 0.3}])
@settings(max_examples=15, deadline=None)
@given(shape=SHAPES)
def test_value_gradient_is_autograds(options, shape):
    torch.manual_seed(shape["seed"])
    value_function = GaussianMLPValueFunction(
        spec_of(shape, True),
        hidden_sizes=shape["hidden"],
        hidden_nonlinearity=shape["nonlinearity"],
        **options,
    )
    optimizer = OptimizerWrapper(torch.optim.Adam, value_function)
    observations, _, returns = data_for(shape, True)
    kernel = value_gradient(value_function, optimizer)
    flat = optimizer.flat_adam()
    assert_same_gradient(value_function.compute_loss, flat, kernel, (observations, returns))


@pytest.mark.parametrize(
    "limits", [{"min_std": 1.0, "init_std": 1.0}, {"max_std": 1.0}, {"learn_std": False}]
)
def test_limits_of_the_spread_hold_for_the_gradient(limits):
    shape = {"width": 2, "hidden": (3,), "nonlinearity": nn.ReLU, "seed": 3, "rows": 9}
    spec = spec_of({**shape, "actions": 2}, False)
    policy = GaussianMLPPolicy(spec, hidden_sizes=(3,), **limits)
    if "learn_std" not in limits:
        with torch.no_grad():
            policy.std_parameter += torch.tensor([-0.2, 0.2])
    algo = VPG(spec, policy, GaussianMLPValueFunction(spec))
    tensors = (*data_for({**shape, "actions": 2}, False), torch.zeros(9))
    kernel, flat = algo._analytic_gradient(), algo._policy_optimizer.flat_adam()
    assert_same_gradient(algo._loss, flat, kernel, tensors)


class OwnObjective(PPO):
    def _objective(self, log_probs, old_log_probs, advantages):
        return log_probs * advantages


class OwnForward(CategoricalMLPPolicy):
    def forward(self, observations):
        return super().forward(2.0 * observations)


SHAPE = {"width": 2, "actions": 3, "hidden": (4,), "nonlinearity": torch.tanh, "seed": 0}


def test_a_loss_of_ones_own_is_left_to_autograd():
    assert build(PPO, SHAPE, True)._analytic_gradient() is not None
    assert build(OwnObjective, SHAPE, True)._analytic_gradient() is None
    assert build(TRPO, SHAPE, True)._analytic_gradient() is None
    assert build(PPO, SHAPE, True, use_softplus_entropy=True)._analytic_gradient() is None


@pytest.mark.parametrize("kind", ["class", "layer norm", "hook", "elu", "output", "softplus"])
def test_a_network_of_another_kind_is_left_to_autograd(kind):
    spec = spec_of(SHAPE, kind != "softplus")
    if kind == "softplus":
        policy = GaussianMLPPolicy(spec, std_parameterization="softplus")
    elif kind == "class":
        policy = OwnForward(spec)
    else:
        options = {
            "layer norm": {"layer_normalization": True},
            "elu": {"hidden_nonlinearity": nn.ELU},
            "output": {"output_nonlinearity": nn.Tanh},
            "hook": {},
        }[kind]
        policy = CategoricalMLPPolicy(spec, **options)
    if kind == "hook":
        policy.mlp.output.register_forward_hook(lambda module, inputs, output: 2.0 * output)
    assert PPO(spec, policy, GaussianMLPValueFunction(spec))._analytic_gradient() is None


def test_the_fast_path_can_be_switched_off(monkeypatch):
    spec = spec_of(SHAPE, True)
    policy = CategoricalMLPPolicy(spec)
    optimizer = OptimizerWrapper(torch.optim.Adam, policy, fast_path=False)
    algo = PPO(spec, policy, GaussianMLPValueFunction(spec), policy_optimizer=optimizer)
    assert algo._analytic_gradient() is None
    monkeypatch.setenv("GARAGE_LIKE_FAST_PATH", "0")
    assert build(PPO, SHAPE, True)._analytic_gradient() is None


@pytest.mark.parametrize("discrete", [True, False])
def test_both_paths_come_to_the_same_weights(discrete, make_episodes):
    weights = []
    for fast_path in (True, False):
        torch.manual_seed(1)
        spec = spec_of({**SHAPE, "width": 3, "actions": 4}, discrete)
        cls = CategoricalMLPPolicy if discrete else GaussianMLPPolicy
        policy, value_function = cls(spec), GaussianMLPValueFunction(spec)
        wrappers = [
            OptimizerWrapper((torch.optim.Adam, {"lr": 1e-3}), module, 3, 8, fast_path=fast_path)
            for module in (policy, value_function)
        ]
        for wrapper in wrappers:
            wrapper._rng = np.random.default_rng(3)
        algo = PPO(spec, policy, value_function, None, *wrappers)
        episodes = make_episodes(spec, 9, 11)
        algo._update(algo._learning_batch(episodes, *value_function.predict(episodes)))
        weights.append([*policy.parameters(), *value_function.parameters()])
    for ours, theirs in zip(*weights, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", ["numpy", "in C"])
@pytest.mark.parametrize("discrete", [True, False])
def test_many_rows_are_what_torch_makes_of_them(discrete, path, monkeypatch):
    monkeypatch.setenv("GARAGE_LIKE_FAST_PATH", path)
    shape = {"width": 3, "actions": 4, "hidden": [16, 9], "rows": MANY + 7, "seed": 1}
    algo = build(PPO, {**shape, "nonlinearity": torch.tanh}, discrete)
    observations, actions, _ = data_for(shape, discrete)
    with torch.no_grad():
        found = distribution_of_many(algo.policy, observations)
        expected = algo.policy(observations)[0]
    torch.testing.assert_close(found.log_prob(actions), expected.log_prob(actions))
    torch.testing.assert_close(found.entropy(), expected.entropy())
    in_c = path != "numpy" and is_in_use()
    few = distribution_of_many(algo.policy, observations[: MANY - 1])
    assert (few is not None) == in_c  # NumPy pays for many alone


def test_a_network_of_ones_own_is_asked_itself():
    class Doubled(CategoricalMLPPolicy):
        def forward(self, observations):
            distribution, infos = super().forward(observations)
            return type(distribution)(2 * distribution.logits), infos

    policy = Doubled(spec_of({"width": 3, "actions": 4}, True))
    assert distribution_of_many(policy, torch.zeros(MANY, 3)) is None


def test_losses_before_and_after_are_those_of_a_loss_of_ones_own():
    class Constant(PPO):
        def _loss(self, *data):
            return 0.0 * super()._loss(*data) + 7.0

    shape = {"width": 3, "actions": 4, "hidden": [5], "rows": 30, "seed": 1}
    algo = build(Constant, {**shape, "nonlinearity": torch.tanh}, True)
    observations, actions, advantages = data_for(shape, True)
    distribution = algo.policy(observations)[0]
    data = (actions, advantages, distribution.log_prob(actions))
    assert algo._loss_now(distribution, observations, *data) == 7.0
