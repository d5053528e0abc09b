import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.np import mlp

FORMULAS = {
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "identity": lambda x: x,
}


def test_every_activation_has_a_formula():
    assert FORMULAS.keys() == mlp.ACTIVATIONS.keys()


@pytest.mark.parametrize("name", mlp.ACTIVATIONS)
def test_an_activation_follows_its_formula_in_place(name):
    x = np.linspace(-4, 4, 17, dtype=np.float32)[None]
    expected = FORMULAS[name](x.astype(np.float64))
    assert mlp.ACTIVATIONS[name](x) is x
    assert x.dtype == np.float32
    assert_allclose(x, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", mlp.ACTIVATIONS)
def test_an_activation_survives_large_numbers(name):
    x = np.array([[-1000.0, 1000.0]], np.float32)
    assert np.isfinite(mlp.ACTIVATIONS[name](x)).all()


def test_a_network_worked_by_hand():
    layers = [
        (np.array([[1.0, -1.0]], np.float32), np.array([0.0, 1.0], np.float32)),
        (np.array([[2.0], [3.0]], np.float32), np.array([0.5], np.float32)),
    ]
    network = mlp.MLP(layers, mlp.relu)
    # 2 -> relu(2, -1) = (2, 0) -> 4.5;  -2 -> relu(-2, 3) = (0, 3) -> 9.5
    assert_array_equal(network(np.array([[2.0], [-2.0]], np.float32)), [[4.5], [9.5]])


def test_a_network_leaves_its_inputs_alone_and_sees_new_weights():
    weight = np.ones((1, 1), np.float32)
    network = mlp.MLP([(weight, np.zeros(1, np.float32))], mlp.tanh, mlp.tanh)
    x = np.array([[3.0]], np.float32)
    network(x)
    weight[:] = 0.0
    assert_array_equal(x, [[3.0]])
    assert_array_equal(network(x), [[0.0]])


def test_layers_are_views_of_the_whole_vector():
    sizes = mlp.layer_sizes(2, (3,), 1)
    flat = np.arange(mlp.num_params(sizes), dtype=np.float32)
    (weight, bias), (output_weight, output_bias) = mlp.split_layers(flat, sizes)
    assert_array_equal(weight, [[0, 1, 2], [3, 4, 5]])
    assert_array_equal(bias, [6, 7, 8])
    assert_array_equal(output_weight, [[9], [10], [11]])
    assert_array_equal(output_bias, [12])
    weight[0, 0] = 99.0
    assert flat[0] == 99.0


@pytest.mark.parametrize("sizes", [(0,), (32, -1), (True,), (3.0,)])
def test_hidden_sizes_must_be_positive_integers(sizes):
    with pytest.raises(ValueError, match="hidden_sizes must be positive integers"):
        mlp.layer_sizes(2, sizes, 1)
