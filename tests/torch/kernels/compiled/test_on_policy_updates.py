"""Updates in C against the same in NumPy, which is held to autograd."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.experiment.deterministic import set_seed
from garage_like.np.compiled import binding
from garage_like.snapshot.fingerprint import differences, take_fingerprint
from garage_like.torch.kernels.compiled import on_policy
from garage_like.torch.kernels.on_policy import policy_gradient, value_gradient
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

pytestmark = pytest.mark.skipif(
    binding.extension() is None, reason="needs the extension in C: a compiler, x86-64"
)

SHAPES = st.fixed_dictionaries(
    {
        "width": st.integers(1, 6),
        "actions": st.integers(2, 5),
        "hidden": st.lists(st.integers(1, 41), min_size=1, max_size=3),
        "nonlinearity": st.sampled_from([torch.tanh, nn.ReLU]),
        "rows": st.integers(1, 300),
        "kind": st.sampled_from(["discrete", "continuous", "value"]),
        "clip_range": st.sampled_from([None, 0.2]),
        "entropy": st.sampled_from([0.0, 0.1]),
        "learn_std": st.booleans(),
        "seed": st.integers(0, 2**20),
    }
)
USUAL = {"width": 4, "actions": 3, "hidden": [32, 32], "nonlinearity": torch.tanh, "rows": 600}
USUAL |= {"clip_range": 0.2, "entropy": 0.01, "learn_std": True, "seed": 3}


def data_of(shape):
    rng = np.random.default_rng(shape["seed"])
    rows = shape["rows"]
    observations = rng.normal(size=(rows, shape["width"])).astype(np.float32)
    advantages, old = rng.normal(size=(2, rows)).astype(np.float32)
    if shape["kind"] == "value":
        return [observations, advantages]
    if shape["kind"] == "discrete":
        return [observations, rng.integers(shape["actions"], size=rows), advantages, 0.3 * old - 1]
    actions = rng.normal(size=(rows, shape["actions"])).astype(np.float32)
    return [observations, actions, advantages, 0.3 * old - 3]


def trained(shape, compiled, optimizer=(torch.optim.Adam, {"lr": 1e-3}), **options):
    """Take one update; return the network's optimizer, flat."""
    set_seed(shape["seed"])
    torch.manual_seed(shape["seed"])
    box = spaces.Box(-1.0, 1.0, (shape["width"],))
    keywords = {"hidden_sizes": shape["hidden"], "hidden_nonlinearity": shape["nonlinearity"]}
    keywords["hidden_b_init"] = nn.init.normal_
    if shape["kind"] == "discrete":
        module = CategoricalMLPPolicy(EnvSpec(box, spaces.Discrete(shape["actions"])), **keywords)
    else:
        keywords["learn_std"] = shape["learn_std"]
        spec = EnvSpec(box, spaces.Box(-1.0, 1.0, (shape["actions"],)))
        cls = GaussianMLPValueFunction if shape["kind"] == "value" else GaussianMLPPolicy
        module = cls(spec, init_std=0.7, **keywords)
    wrapper = OptimizerWrapper(optimizer, module, **options)
    wrapper._is_compiled = compiled
    if shape["kind"] == "value":
        gradient = value_gradient(module, wrapper)
    else:
        gradient = policy_gradient(module, wrapper, shape["clip_range"], shape["entropy"])
    assert (gradient.whole is not None) == compiled
    if compiled:
        taken = []
        take = gradient.whole.take
        gradient.whole.take = lambda *args: taken.append(take(*args)) or taken[-1]
    arrays = [torch.from_numpy(np.ascontiguousarray(array)) for array in data_of(shape)]
    wrapper.minimize(lambda *_: pytest.fail("autograd was asked"), *arrays, gradient=gradient)
    assert not compiled or taken == [True]
    return wrapper.flat_adam()


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES)
def test_the_gradient_is_that_of_numpy(shape):
    # After one step the first slot is the gradient times 1 - beta1.
    ours, theirs = (trained(shape, compiled).slots[0] for compiled in (True, False))
    assert (ours - theirs).norm() <= 2e-5 * theirs.norm() + 1e-8


@pytest.mark.parametrize("kind", ["discrete", "continuous", "value"])
@pytest.mark.parametrize(
    "optimizer",
    [
        (torch.optim.Adam, {"lr": 1e-3}),
        (torch.optim.Adam, {"lr": 1e-3, "weight_decay": 0.1, "betas": (0.8, 0.99)}),
        (torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.1, "eps": 1e-5}),
    ],
)
def test_many_steps_stay_near_those_of_numpy(kind, optimizer):
    shape = {**USUAL, "kind": kind}
    options = {"max_optimization_epochs": 4, "minibatch_size": 64}
    ours, theirs = (trained(shape, compiled, optimizer, **options) for compiled in (True, False))
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-3, atol=2e-5)
    assert ours.step_counts.tolist() == theirs.step_counts.tolist()
    assert float(ours.step_counts[0]) == 40


@pytest.mark.parametrize("kind", ["discrete", "continuous", "value"])
@pytest.mark.parametrize("nonlinearity", [torch.tanh, nn.ReLU])
def test_the_width_of_vectors_changes_no_bit(kind, nonlinearity, monkeypatch):
    path = binding.extension()
    if binding.Steps(path).bits != 512:
        pytest.skip("needs a processor with AVX-512")
    shape = {**USUAL, "kind": kind, "nonlinearity": nonlinearity, "hidden": [33, 17]}
    found = []
    for bits in (256, 512):
        monkeypatch.setattr(on_policy, "steps", lambda bits=bits: binding.Steps(path, bits))
        flat = trained(shape, True, max_optimization_epochs=2, minibatch_size=41)
        found.append(
            [flat.parameters.numpy().tobytes(), *(s.numpy().tobytes() for s in flat.slots)]
        )
    assert found[0] == found[1]


def test_nan_comes_through():
    shape = {**USUAL, "kind": "discrete"}
    data = data_of(shape)
    data[2][5] = math.nan

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "data_of", lambda shape: data)
        assert trained(shape, True).parameters.isnan().any()


def test_actions_that_are_none_are_left_to_numpy():
    shape = {**USUAL, "kind": "discrete"}
    data = data_of(shape)
    data[1][7] = 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "data_of", lambda shape: data)
        with pytest.raises(IndexError):
            trained(shape, True)


def test_an_extension_of_other_sources_is_passed_over(monkeypatch):
    monkeypatch.setattr(binding, "VERSION", -1)
    binding.steps.cache_clear()
    try:
        assert binding.steps() is None
    finally:
        monkeypatch.undo()
        binding.steps.cache_clear()
    assert binding.steps() is not None


def test_snapshots_record_who_takes_the_steps(monkeypatch):
    monkeypatch.delenv("GARAGE_LIKE_FAST_PATH", raising=False)
    in_c = take_fingerprint()
    monkeypatch.setenv("GARAGE_LIKE_FAST_PATH", "numpy")
    assert f"computed_by.gradient_steps: C, version {binding.BITS} → NumPy" in differences(
        in_c, take_fingerprint()
    )
    # Before there was anything in C nothing was recorded, and such runs go on by NumPy.
    assert differences({**in_c, "computed_by": None}, in_c) == []


def test_a_step_for_which_there_is_no_memory_changes_nothing():
    script = """
import resource
import numpy as np
from garage_like.torch.kernels.compiled import quantile_loss
quantile_loss.steps()
quantiles, targets = np.zeros((1, 1, 1), np.float32), np.zeros((1, 40_000_000), np.float32)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, -1))
try:
    quantile_loss.quantile_loss(quantiles, targets)
except MemoryError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "there is no memory for a gradient step\n", done.stderr
