import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.tf.modules import MLP, Module
from garage_like.tf.modules.initializers import xavier_uniform
from garage_like.tf.quiet_import import tf

INPUTS = np.linspace(-3, 3, 12).reshape(4, 3).astype(np.float32)
KNOWN = [tf.tanh, tf.nn.tanh, tf.nn.relu, tf.sigmoid, tf.nn.elu, tf.nn.softplus, tf.nn.silu, None]


def double_sine(x):
    return 2.0 * tf.sin(x)


def shown(nonlinearity):
    return getattr(nonlinearity, "__name__", "none")


def by_hand(network, nonlinearity):
    x = INPUTS
    for weight, bias in network.layers[:-1]:
        x = nonlinearity(x @ weight.numpy() + bias.numpy())
    return x @ network.layers[-1][0].numpy() + network.layers[-1][1].numpy()


@pytest.mark.parametrize("nonlinearity", KNOWN, ids=shown)
def test_numpy_computes_what_tensorflow_does(nonlinearity):
    network = MLP(3, 2, (8, 5), nonlinearity, output_nonlinearity=nonlinearity)
    assert_allclose(network.to_numpy()(INPUTS), network(INPUTS), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("nonlinearity", [double_sine, tf.sin, tf.nn.gelu], ids=shown)
def test_what_numpy_cannot_do_is_left_to_tensorflow(nonlinearity):
    network = MLP(3, 2, (8,), nonlinearity)
    assert network.to_numpy() is None
    assert MLP(3, 2, (8,), output_nonlinearity=nonlinearity).to_numpy() is None
    assert_allclose(network(INPUTS), by_hand(network, nonlinearity), rtol=1e-5, atol=1e-6)


def test_layers_follow_each_other():
    network = MLP(3, 2, (8, 5))
    assert_allclose(network(INPUTS), by_hand(network, np.tanh), rtol=1e-5, atol=1e-6)


def test_layers_can_be_normalized():
    network = MLP(3, 2, (8,), None, layer_normalization=True)
    hidden = INPUTS @ network.layers[0][0].numpy()
    hidden = (hidden - hidden.mean(1, keepdims=True)) / np.sqrt(hidden.var(1, keepdims=True) + 1e-5)
    assert_allclose(network(INPUTS), hidden @ network.layers[1][0].numpy(), rtol=1e-4, atol=1e-5)
    assert network.to_numpy() is None
    assert len(network.trainable_variables) == 6


def test_initializers_fill_the_layers_that_they_are_for():
    network = MLP(
        3,
        2,
        (8,),
        hidden_w_init=np.ones,
        hidden_b_init=tf.constant_initializer(2.0),
        output_w_init=np.zeros,
        output_b_init=tf.constant_initializer(3.0),
    )
    found = [np.unique(variable).tolist() for variable in network.variables]
    assert found == [[1.0], [2.0], [0.0], [3.0]]


def test_an_initializer_must_keep_to_the_shape():
    with pytest.raises(ValueError, match=r"of layer_0_weight must return shape \(3, 8\), got \(\)"):
        MLP(3, 2, (8,), hidden_w_init=lambda shape: 1.0)


def test_xavier_weights_are_uniform_within_their_bound():
    weights = xavier_uniform((200, 100))
    bound = np.sqrt(6.0 / 300.0)
    assert 0.999 * bound < np.abs(weights).max() <= bound
    assert_allclose(weights.std(), bound / np.sqrt(3.0), rtol=0.02)
    kernel = xavier_uniform((5, 5, 20, 10))
    assert 0.999 < np.abs(kernel).max() / np.sqrt(6.0 / (25 * 30)) <= 1.0


def test_weights_follow_the_seed_and_twins_differ():
    def two():
        np.random.seed(3)
        return [MLP(3, 2).layers[0][0].numpy() for _ in range(2)]

    first, second = two(), two()
    assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("nonlinearity", [tf.tanh, tf.nn.relu, double_sine], ids=shown)
def test_a_pickled_network_computes_the_same(nonlinearity):
    network = MLP(3, 2, (8,), nonlinearity)
    twin = cloudpickle.loads(cloudpickle.dumps(network))
    assert_array_equal(twin(INPUTS), network(INPUTS))


@pytest.mark.parametrize("nonlinearity", ["tanh", int, 3])
def test_what_is_no_nonlinearity_is_refused(nonlinearity):
    with pytest.raises(TypeError, match=r"hidden_nonlinearity must be a function of a tensor"):
        MLP(3, 2, (8,), nonlinearity)


def test_hidden_sizes_must_be_positive():
    with pytest.raises(ValueError, match=r"positive integers, one for each layer, got \(8, 0\)"):
        MLP(3, 2, (8, 0))


class Nest(Module):
    """Own variables in every way that a module may."""

    def __init__(self):
        self.first = tf.Variable(1.0)
        self.again = self.first
        self.fixed = tf.Variable(2.0, trainable=False)
        self.listed = [tf.Variable(3.0), (MLP(1, 1, ()), "no variable")]
        self.named = {"last": tf.Variable(4.0)}
        self.module = tf.Module()
        self.module.inner = tf.Variable(5.0)
        self.keras = tf.keras.layers.Dense(1)
        self.keras.build((None, 2))


def test_a_module_finds_its_variables_wherever_they_are_once_and_in_order():
    nest = Nest()
    found = nest.variables
    assert [float(v) for v in found[:3]] == [1.0, 2.0, 3.0]
    assert len(found) == 3 + 2 + 1 + 1 + 2
    assert all(isinstance(variable, tf.Variable) for variable in found)
    assert len(nest.trainable_variables) == len(found) - 1
