import cloudpickle
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.tf.optimizers import Adam
from garage_like.tf.quiet_import import tf

START = np.linspace(-1.0, 1.0, 6).reshape(2, 3).astype(np.float32)


def gradients(count):
    """Return gradients of all sizes, the last so small that epsilon counts."""
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(2, 3)) * 10.0 ** (-i / 2)).astype(np.float32) for i in range(count)]


def make(**options):
    variables = [tf.Variable(START), tf.Variable(np.float32(3.0))]
    return variables, Adam(variables, **options)


def test_steps_are_those_of_torch():
    (variable, _), optimizer = make(lr=0.1, betas=(0.8, 0.99), eps=1e-5)
    parameter = torch.nn.Parameter(torch.from_numpy(START.copy()))
    theirs = torch.optim.Adam([parameter], lr=0.1, betas=(0.8, 0.99), eps=1e-5)
    for gradient in gradients(20):
        optimizer.apply([tf.constant(gradient), None])
        parameter.grad = torch.from_numpy(gradient)
        theirs.step()
    assert_allclose(variable, parameter.detach(), rtol=1e-5, atol=1e-6)


def test_a_variable_without_gradient_stays():
    (_, idle), optimizer = make(lr=0.1)
    optimizer.apply([tf.ones((2, 3)), None])
    assert idle.numpy() == 3.0


@pytest.mark.parametrize("traced", [False, True])
def test_a_pickled_pair_goes_on_the_same(traced):
    pair = make(lr=0.1)
    for gradient in gradients(3):
        pair[1].apply([tf.constant(gradient), tf.constant(1.0)])
    twins = cloudpickle.loads(cloudpickle.dumps(pair))
    for _, optimizer in (pair, twins):
        apply = tf.function(optimizer.apply) if traced else optimizer.apply
        for gradient in gradients(5):
            apply([tf.constant(gradient), tf.constant(1.0)])
    assert twins[1].step_count.numpy() == 8.0
    assert twins[1].variables[0] is twins[0][0]
    for ours, theirs in zip(pair[0], twins[0], strict=True):
        assert_array_equal(ours, theirs)


def test_the_learning_rate_may_change_under_a_trace():
    (variable, _), optimizer = make(lr=0.1)
    apply = tf.function(lambda gradient: optimizer.apply([gradient, None]))
    apply(tf.ones((2, 3)))
    assert_allclose(variable, START - 0.1, atol=1e-6)
    assert optimizer.learning_rate == pytest.approx(0.1)
    optimizer.learning_rate = 0.01
    apply(tf.ones((2, 3)))
    assert_allclose(variable, START - 0.11, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "Adam: lr must be positive, got 0.0"),
        ({"betas": (0.9, 1.0)}, r"betas must be two numbers in \[0, 1\), got \(0.9, 1.0\)"),
        ({"eps": -1e-8}, "eps must be positive, got -1e-08"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)
