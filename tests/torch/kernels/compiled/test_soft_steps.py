"""Off-policy gradient steps in C: the width of vectors changes no bit; they are taken at all."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from garage_like.np.compiled import binding, q_step
from garage_like.torch.kernels.compiled import quantile_loss, soft_step
from garage_like.torch.kernels.off_policy import kernel_of
from garage_like.torch.quantiles import huber_loss_and_slopes

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_off_policy_kernels import SHAPE, build_dqn, build_sac, transitions_for

pytestmark = pytest.mark.skipif(
    binding.extension() is None, reason="needs the extension in C: a compiler, x86-64"
)


def weights_after_steps(shape):
    algo = build_sac(shape)
    assert kernel_of(algo)._whole is not None
    outcomes = []
    for number in range(3):
        metrics, errors = algo._take_gradient_step(transitions_for(shape, False, number))
        outcomes.append((metrics, errors.tobytes()))
    parts = vars(algo)
    networks = [parts[name] for name in sorted(parts) if "qf" in name and "optim" not in name]
    networks = [algo.policy, *(n for n in networks if isinstance(n, nn.Module))]
    assert len(networks) == 5
    return outcomes, [p.detach().numpy().tobytes() for n in networks for p in n.parameters()]


@pytest.mark.parametrize("nonlinearity", [nn.Tanh, nn.ReLU])
def test_the_width_of_vectors_changes_no_bit(nonlinearity, monkeypatch):
    path = binding.extension()
    if binding.Steps(path).bits != 512:
        pytest.skip("needs a processor with AVX-512")
    shape = {**SHAPE, "hidden": [33, 20], "rows": 61, "nonlinearity": nonlinearity}
    found = []
    for bits in (256, 512):
        monkeypatch.setattr(soft_step, "steps", lambda bits=bits: binding.Steps(path, bits))
        found.append(weights_after_steps(shape))
    assert found[0] == found[1]


def test_the_width_of_vectors_changes_no_bit_of_quantiles(monkeypatch):
    path = binding.extension()
    if binding.Steps(path).bits != 512:
        pytest.skip("needs a processor with AVX-512")
    rng = np.random.default_rng(0)
    quantiles, targets = (
        rng.normal(size=shape).astype(np.float32) for shape in ((9, 2, 7), (9, 21))
    )
    found = []
    for bits in (256, 512):
        monkeypatch.setattr(quantile_loss, "steps", lambda bits=bits: binding.Steps(path, bits))
        losses, slopes = quantile_loss.quantile_loss(quantiles, targets)
        found.append((losses.tobytes(), slopes.tobytes()))
    assert found[0] == found[1]
    expected = huber_loss_and_slopes(torch.from_numpy(quantiles), torch.from_numpy(targets))
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
    np.testing.assert_allclose(slopes, expected[1], rtol=1e-4, atol=1e-7)


def weights_after_q_steps(shape, **options):
    algo = build_dqn(shape, **options)
    assert kernel_of(algo)._whole is not None
    outcomes = []
    for number in range(3):
        metrics, errors = algo._take_gradient_step(transitions_for(shape, True, number))
        outcomes.append((metrics, errors.tobytes()))
    return outcomes, [p.detach().numpy().tobytes() for p in algo.policy.qf.parameters()]


@pytest.mark.parametrize("options", [{}, {"double_q": False, "clip_gradient": 0.1}])
def test_the_width_of_vectors_changes_no_bit_of_dqn(options, monkeypatch):
    path = binding.extension()
    if binding.Steps(path).bits != 512:
        pytest.skip("needs a processor with AVX-512")
    shape = {**SHAPE, "hidden": [33, 20], "rows": 61, "weighted": True}
    found = []
    for bits in (256, 512):
        monkeypatch.setattr(q_step, "steps", lambda bits=bits: binding.Steps(path, bits))
        found.append(weights_after_q_steps(shape, **options))
    assert found[0] == found[1]


def test_batches_of_another_size_in_between_change_no_bit():
    sizes = [SHAPE["rows"], 5, 5, SHAPE["rows"]]
    ways = []
    for is_new_each_time in (False, True):
        algo, outcomes = build_dqn(SHAPE), []
        for number, rows in enumerate(sizes):
            kernel = kernel_of(algo)
            if is_new_each_time:
                kernel._whole = kernel._whole_steps()
            _, errors = algo._take_gradient_step(
                transitions_for({**SHAPE, "rows": rows}, True, number)
            )
            outcomes.append(errors)
        ways.append([errors.tobytes() for errors in outcomes])
        assert [len(errors) for errors in outcomes] == sizes
    assert ways[0] == ways[1]


def test_runs_from_before_dqns_step_was_one_call_go_on_pass_by_pass():
    algo = build_dqn(SHAPE)
    vars(algo._qf_optimizer).pop("_takes_q_steps")
    assert kernel_of(algo)._whole is None


def test_an_action_that_there_is_not_is_an_error_that_changes_nothing():
    algo = build_dqn(SHAPE)
    before = [p.detach().clone() for p in algo.policy.qf.parameters()]
    transitions = transitions_for(SHAPE, True, 0)
    transitions["action"][3] = 2
    with pytest.raises(IndexError, match="no output"):
        algo._take_gradient_step(transitions)
    assert all(map(torch.equal, before, algo.policy.qf.parameters()))
