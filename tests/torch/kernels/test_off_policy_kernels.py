"""Analytic gradient steps of off-policy algorithms against those that autograd takes."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos import DDPG, DQN, MTSAC, SAC, TD3, TQC
from garage_like.torch.kernels.off_policy import kernel_of
from garage_like.torch.policies import (
    DeterministicMLPPolicy,
    DiscreteQFArgmaxPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import (
    ContinuousMLPQFunction,
    DiscreteMLPQFunction,
    QuantileMLPQFunction,
)

SHAPES = st.fixed_dictionaries(
    {
        "width": st.integers(1, 5),
        "actions": st.integers(2, 4),
        "hidden": st.lists(st.integers(1, 40), min_size=1, max_size=3),
        "nonlinearity": st.sampled_from([nn.Tanh, nn.ReLU]),
        "rows": st.integers(1, 70),
        "weighted": st.booleans(),
        "seed": st.integers(0, 2**20),
    }
)
SMALL = {"min_buffer_size": 1, "num_evaluation_episodes": 0}


def spec_of(shape, discrete):
    high = np.arange(1, shape["actions"] + 1, dtype=np.float32)
    actions = spaces.Discrete(shape["actions"]) if discrete else spaces.Box(-high, high)
    return EnvSpec(spaces.Box(-9.0, 9.0, (shape["width"],)), actions)


def transitions_for(shape, discrete, number):
    rng = np.random.default_rng([shape["seed"], number])
    rows, width, actions = shape["rows"], shape["width"], shape["actions"]
    batch = {
        "observation": rng.normal(size=(rows, width)).astype(np.float32),
        "action": rng.uniform(-1, 1, (rows, actions)).astype(np.float32),
        "reward": 2 * rng.normal(size=rows).astype(np.float32),
        "next_observation": rng.normal(size=(rows, width)).astype(np.float32),
        "step_type": rng.integers(0, 4, rows).astype(np.uint8),
    }
    if discrete:
        batch["action"] = rng.integers(0, actions, rows)
    if shape["weighted"]:
        batch["weight"] = rng.uniform(0.1, 1.0, rows).astype(np.float32)
    return batch


def networks(shape):
    return {
        "hidden_sizes": shape["hidden"],
        "hidden_nonlinearity": shape["nonlinearity"],
        "hidden_b_init": nn.init.normal_,
    }


def build_dqn(shape, cls=DQN, dueling=False, **options):
    set_seed(shape["seed"])
    spec = spec_of(shape, True)
    qf = DiscreteMLPQFunction(spec, dueling=dueling, **networks(shape))
    policy = DiscreteQFArgmaxPolicy(qf, spec)
    explorer = EpsilonGreedyPolicy(spec, policy, total_timesteps=100)
    buffer = PathBuffer(50, spec)
    return cls(spec, policy, qf, buffer, exploration_policy=explorer, **SMALL, **options)


def build_sac(shape, cls=SAC, **options):
    set_seed(shape["seed"])
    spec = spec_of(shape, False)
    policy = TanhGaussianMLPPolicy(spec, min_std=0.3, max_std=2.0, **networks(shape))
    qfs = [ContinuousMLPQFunction(spec, **networks(shape)) for _ in range(2)]
    return cls(spec, policy, *qfs, PathBuffer(50, spec), **SMALL, **options)


def build_tqc(shape, **options):
    set_seed(shape["seed"])
    spec = spec_of(shape, False)
    policy = TanhGaussianMLPPolicy(spec, min_std=0.3, max_std=2.0, **networks(shape))
    qfs = [QuantileMLPQFunction(spec, 7, **networks(shape)) for _ in range(3)]
    return TQC(spec, policy, qfs, PathBuffer(50, spec), **SMALL, **options)


def build_deterministic(shape, cls=TD3, **options):
    set_seed(shape["seed"])
    spec = spec_of(shape, False)
    policy = DeterministicMLPPolicy(spec, **networks(shape))
    count = 2 if issubclass(cls, TD3) else 1
    qfs = [ContinuousMLPQFunction(spec, **networks(shape)) for _ in range(count)]
    return cls(spec, policy, *qfs, PathBuffer(50, spec), **SMALL, **options)


def assert_same_steps(build, shape, discrete, *optimizers, by="1", **options):
    """Hold gradients, metrics, errors and weights of both paths to each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GARAGE_LIKE_FAST_PATH", "0")
        plain = build(shape, **options)
        patch.setenv("GARAGE_LIKE_FAST_PATH", by)
        fast = build(shape, **options)
    assert kernel_of(plain) is None
    assert kernel_of(fast) is not None
    for number in range(2):
        outcomes = [
            algo._take_gradient_step(transitions_for(shape, discrete, number))
            for algo in (plain, fast)
        ]
        (metrics, errors), (fast_metrics, fast_errors) = outcomes
        assert fast_metrics == pytest.approx(metrics, rel=1e-4, abs=1e-5)
        np.testing.assert_allclose(fast_errors, errors, rtol=1e-4, atol=1e-4)
        if number:
            return
        for name in optimizers:
            ours, theirs = (getattr(algo, name).flat_adam().gradient for algo in (fast, plain))
            assert (ours - theirs).norm() <= 1e-5 * theirs.norm() + 1e-6


@pytest.mark.parametrize(
    "options",
    [
        {"double_q": False},
        {"dueling": True, "clip_rewards": 0.5},
        {"clip_gradient": 0.1, "discount": 0.8, "reward_scale": 0.3},
    ],
)
@pytest.mark.parametrize("by", ["1", "numpy"])
@settings(max_examples=12, deadline=None)
@given(shape=SHAPES)
def test_step_of_dqn_is_the_one_that_autograd_takes(options, by, shape):
    assert_same_steps(build_dqn, shape, True, "_qf_optimizer", by=by, **options)


@pytest.mark.parametrize("by", ["1", "numpy"])
@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (TD3, {"update_actor_interval": 1, "target_update_tau": 0.3}),
        (TD3, {"policy_noise": 0.7, "reward_scale": 0.5}),
        (DDPG, {"policy_lr": 1e-3, "target_update_tau": 1.0}),
        (DDPG, {"clip_pos_returns": True, "clip_return": 1.5, "discount": 0.8}),
    ],
)
@settings(max_examples=10, deadline=None)
@given(shape=SHAPES)
def test_step_of_ddpg_and_td3_is_the_one_that_autograd_takes(cls, options, by, shape):
    def build(shape):
        return build_deterministic(shape, cls, qf_lr=1e-6, **options)

    moved = ["_qf_optimizer"]
    if "policy_noise" not in options:  # the policy moves with the first step
        moved.append("_policy_optimizer")
    assert_same_steps(build, shape, False, *moved, by=by)


@pytest.mark.parametrize("by", ["1", "numpy"])
@pytest.mark.parametrize("options", [{}, {"fixed_alpha": 0.2, "reward_scale": 0.5}])
@settings(max_examples=12, deadline=None)
@given(shape=SHAPES)
def test_step_of_sac_is_the_one_that_autograd_takes(options, by, shape):
    optimizers = ["_qf_optimizer", "_policy_optimizer"]
    if not options:
        optimizers.append("_alpha_optimizer")
    # The critics have moved when the policy's gradient is formed: a small step keeps it comparable.
    assert_same_steps(build_sac, shape, False, *optimizers, qf_lr=1e-6, by=by, **options)


@pytest.mark.parametrize("by", ["1", "numpy"])
@pytest.mark.parametrize("options", [{}, {"fixed_alpha": 0.2, "reward_scale": 0.5}])
@settings(max_examples=12, deadline=None)
@given(shape=SHAPES)
def test_step_of_tqc_is_the_one_that_autograd_takes(options, by, shape):
    moved = ["_qf_optimizer", "_policy_optimizer"]
    assert_same_steps(build_tqc, shape, False, *moved, qf_lr=1e-6, by=by, **options)


def test_large_products_are_the_same():
    shape = {**SHAPE, "hidden": [256, 256], "rows": 256, "nonlinearity": nn.ReLU}
    assert_same_steps(build_sac, shape, False, "_qf_optimizer", "_policy_optimizer", qf_lr=1e-6)


class OwnSample(SAC):
    def _sample(self, observations):
        return super()._sample(observations)


class OwnNoise(TD3):
    def _smoothed_actions(self, observations):
        return super()._smoothed_actions(observations)


class OwnUpdate(DQN):
    def _update(self, transitions):
        return super()._update(transitions)


SHAPE = {
    "width": 3,
    "actions": 2,
    "hidden": [6],
    "nonlinearity": nn.Tanh,
    "rows": 6,
    "weighted": False,
    "seed": 0,
}


def test_an_update_of_ones_own_is_left_to_autograd():
    assert kernel_of(build_sac(SHAPE, OwnSample)) is None
    assert kernel_of(build_dqn(SHAPE, OwnUpdate)) is None
    assert kernel_of(build_deterministic(SHAPE, OwnNoise)) is None
    assert kernel_of(build_sac(SHAPE, MTSAC, sampler=None, num_tasks=2)) is None


def test_another_optimizer_or_network_is_left_to_autograd():
    assert kernel_of(build_dqn(SHAPE, qf_optimizer=torch.optim.SGD)) is None
    assert kernel_of(build_sac({**SHAPE, "nonlinearity": nn.ELU})) is None


def test_a_kernel_is_kept_until_something_was_moved():
    algo = build_dqn(SHAPE)
    kernel = kernel_of(algo)
    assert kernel_of(algo) is kernel
    weight = algo._qf.mlp.output.weight
    weight.data = weight.data.clone()
    assert kernel_of(algo) is not kernel
    before = weight.detach().clone()
    algo._take_gradient_step(transitions_for(SHAPE, True, 0))
    assert not torch.equal(before, weight)


@pytest.mark.parametrize("build", [build_dqn, build_sac])
def test_a_kernel_is_made_again_for_other_settings(build):
    algo = build(SHAPE)
    before = kernel_of(algo)
    for name in algo.kernel_settings:
        kernel, value = kernel_of(algo), getattr(algo, name)
        setattr(algo, name, not value if isinstance(value, bool) else (value or 1.0) / 2.0)
        assert kernel_of(algo) is not kernel, name
        setattr(algo, name, value)
    assert kernel_of(algo) is not before
    assert kernel_of(algo) is kernel_of(algo)
