import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.tf.modules import MLP, Module
from garage_like.tf.optimizers import Adam, LBFGSOptimizer, OptimizerWrapper
from garage_like.tf.optimizers.described import of_today
from garage_like.tf.quiet_import import tf

INPUTS = np.arange(30.0, dtype=np.float32).reshape(10, 3) / 30.0
TARGETS = np.arange(10.0, dtype=np.float32)


class Regression(Module):
    """Fit targets by least squares; note how often each row is learned from, and with whom."""

    def __init__(self, optimizer=Adam, **options):
        self.mlp = MLP(3, 1, ())
        self.seen = tf.Variable(tf.zeros(10), trainable=False)
        self.sizes = tf.Variable(tf.zeros(10), trainable=False)
        self.wrapper = OptimizerWrapper(optimizer, self, **options)

    def loss(self, inputs, targets):
        rows = tf.cast(targets, tf.int32)
        self.seen.scatter_add(tf.IndexedSlices(tf.ones_like(targets), rows))
        self.sizes.scatter_update(
            tf.IndexedSlices(tf.fill(tf.shape(rows), tf.cast(tf.size(rows), tf.float32)), rows)
        )
        return self.error(inputs, targets)

    def error(self, inputs, targets):
        return tf.reduce_mean(tf.square(tf.squeeze(self.mlp(inputs), -1) - targets))

    def fit(self):
        self.wrapper.minimize(self.loss, INPUTS, TARGETS)
        return self


def test_all_rows_are_taken_at_once_unless_a_size_is_given():
    regression = Regression(max_optimization_epochs=2).fit()
    assert regression.seen.numpy().tolist() == [2.0] * 10
    assert regression.sizes.numpy().tolist() == [10.0] * 10


@pytest.mark.parametrize(("size", "sizes"), [(5, {5.0}), (4, {3.0, 4.0}), (9, {5.0}), (99, {10.0})])
def test_each_pass_has_every_row_once_and_no_small_remainder(size, sizes):
    regression = Regression(max_optimization_epochs=3, minibatch_size=size).fit()
    assert regression.seen.numpy().tolist() == [3.0] * 10
    assert set(regression.sizes.numpy().tolist()) == sizes


def test_each_pass_has_a_new_order():
    orders = Regression(max_optimization_epochs=2, minibatch_size=5).wrapper.orders(10)
    assert [sorted(order) for order in orders.tolist()] == [list(range(10))] * 2
    assert orders[0].tolist() != orders[1].tolist()


def test_shuffling_draws_nothing_from_numpy_or_tensorflow():
    regression = Regression(minibatch_size=2)
    numpys = np.random.get_state()[1].copy()
    tf.random.set_seed(1)
    expected = tf.random.uniform(())
    tf.random.set_seed(1)
    regression.fit()
    assert_array_equal(numpys, np.random.get_state()[1])
    assert tf.random.uniform(()) == expected


def test_steps_are_those_of_a_loop_over_minibatches():
    fitted, by_hand = Regression(minibatch_size=4), Regression(minibatch_size=4)
    for ours, theirs in zip(by_hand.variables, fitted.variables, strict=True):
        ours.assign(theirs)
    order = by_hand.wrapper.orders(10)[0]
    fitted.fit()
    for rows in np.array_split(order, 3):
        by_hand.wrapper.take_step(by_hand.error, INPUTS[rows], TARGETS[rows])
    for ours, theirs in zip(by_hand.mlp.variables, fitted.mlp.variables, strict=True):
        assert_allclose(ours, theirs, rtol=1e-6)


def test_minimizing_lowers_the_loss():
    options = {"max_optimization_epochs": 200, "minibatch_size": 5}
    regression = Regression((Adam, {"lr": 0.1}), **options).fit()
    assert regression.error(INPUTS, TARGETS) < 0.1


def test_a_keras_optimizer_takes_the_steps_too():
    optimizer = (tf.keras.optimizers.SGD, {"learning_rate": 0.1})
    regression = Regression(optimizer, max_optimization_epochs=300).fit()
    assert regression.error(INPUTS, TARGETS) < 1.0
    assert regression.wrapper.optimizer.iterations.numpy() == 300


def test_a_pickled_pair_goes_on_the_same():
    regression = Regression((Adam, {"lr": 0.01}), max_optimization_epochs=3, minibatch_size=3)
    regression.fit()
    twin = cloudpickle.loads(cloudpickle.dumps(regression))
    for ours, theirs in zip(regression.fit().variables, twin.fit().variables, strict=True):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("optimizer", ["Adam", MLP, (Adam, 0.1), None])
def test_what_is_no_optimizer_is_refused(optimizer):
    with pytest.raises(TypeError, match=r"class, such as .*or a pair \(class, dict of keyword"):
        Regression(optimizer)


@pytest.mark.parametrize("name", ["max_optimization_epochs", "minibatch_size"])
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, .*got 0|1, got 0"):
        Regression(**{name: 0})


def test_lbfgs_finds_the_least_squares():
    regression = Regression()
    inputs = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    targets = inputs @ np.array([1.0, -2.0, 3.0], np.float32) + np.float32(0.5)
    LBFGSOptimizer(regression.mlp, 50).minimize(regression.error, inputs, targets)
    weight, bias = regression.mlp.layers[0]
    assert_allclose(weight.numpy().ravel(), [1.0, -2.0, 3.0], atol=1e-3)
    assert_allclose(bias, [0.5], atol=1e-3)


def test_a_pickled_lbfgs_goes_on_the_same():
    regression = Regression()
    pair = regression, LBFGSOptimizer(regression.mlp, 2)
    pair[1].minimize(pair[0].error, INPUTS, TARGETS)
    twins = cloudpickle.loads(cloudpickle.dumps(pair))
    for regression, optimizer in (pair, twins):
        optimizer.minimize(regression.error, INPUTS, TARGETS)
    assert_array_equal(pair[0].mlp.layers[0][0], twins[0].mlp.layers[0][0])


def test_lbfgs_needs_an_iteration():
    with pytest.raises(ValueError, match="max_optimization_epochs must be at least 1, got 0"):
        LBFGSOptimizer(MLP(1, 1), 0)


def test_optimizers_of_tensorflow_1_are_those_of_today():
    train = tf.compat.v1.train
    assert of_today(train.AdamOptimizer) is Adam
    assert of_today(train.RMSPropOptimizer) is tf.keras.optimizers.RMSprop
    assert of_today(train.GradientDescentOptimizer) is tf.keras.optimizers.SGD
    assert of_today(Adam) is Adam
