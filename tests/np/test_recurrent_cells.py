import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.np.gru import GRU
from garage_like.np.lstm import LSTM


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def weights(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def make_cell(cls, gates, inputs=3, hidden=2):
    rng = np.random.default_rng(0)
    return cls(
        weights(rng, inputs, gates * hidden),
        weights(rng, hidden, gates * hidden),
        weights(rng, gates * hidden),
    )


CELLS = pytest.mark.parametrize(
    "cell", [pytest.param(make_cell(GRU, 3), id="gru"), pytest.param(make_cell(LSTM, 4), id="lstm")]
)


def test_a_gru_worked_by_hand():
    # One unit: z, r and c see the input 2 with weights 0.5, -1 and 1; the state 0.4 with 1, 2, 3.
    cell = GRU(
        np.array([[0.5, -1.0, 1.0]], np.float32),
        np.array([[1.0, 2.0, 3.0]], np.float32),
        np.array([0.1, 0.2, 0.3], np.float32),
    )
    z = sigmoid(0.5 * 2 + 0.1 + 1.0 * 0.4)
    r = sigmoid(-1.0 * 2 + 0.2 + 2.0 * 0.4)
    candidate = math.tanh(1.0 * 2 + 0.3 + r * 3.0 * 0.4)
    expected = z * 0.4 + (1 - z) * candidate
    assert_allclose(cell(np.array([[2.0]], np.float32), np.array([[0.4]], np.float32)), expected)


def test_an_lstm_worked_by_hand():
    # One unit: i, f, o and g see the input 2 with weights 0.5, -1, 1, 0.25; the output 0.4 with
    # 1, 2, 3, -1; the cell holds -0.7.
    cell = LSTM(
        np.array([[0.5, -1.0, 1.0, 0.25]], np.float32),
        np.array([[1.0, 2.0, 3.0, -1.0]], np.float32),
        np.array([0.1, 0.2, 0.3, 0.4], np.float32),
    )
    i, f, o = (
        sigmoid(0.5 * 2 + 0.1 + 0.4),
        sigmoid(-2 + 0.2 + 2 * 0.4),
        sigmoid(2 + 0.3 + 3 * 0.4),
    )
    kept = f * -0.7 + i * math.tanh(0.25 * 2 + 0.4 - 0.4)
    following = cell(np.array([[2.0]], np.float32), np.array([[0.4, -0.7]], np.float32))
    assert_allclose(following, [[o * math.tanh(kept), kept]], rtol=1e-6)


@CELLS
def test_rows_do_not_touch_each_other(cell):
    rng = np.random.default_rng(1)
    inputs, states = weights(rng, 4, 3), weights(rng, 4, cell.state_dim)
    together = cell(inputs, states)
    for row in range(4):
        alone = cell(inputs[row : row + 1], states[row : row + 1])
        assert_allclose(together[row : row + 1], alone, rtol=1e-5, atol=1e-6)


@CELLS
def test_a_step_leaves_what_it_is_given_alone(cell):
    rng = np.random.default_rng(1)
    inputs, states = weights(rng, 4, 3), weights(rng, 4, cell.state_dim)
    copies = inputs.copy(), states.copy()
    following = cell(inputs, states)
    assert following.dtype == np.float32
    assert following.shape == states.shape
    assert_array_equal(inputs, copies[0])
    assert_array_equal(states, copies[1])


@CELLS
def test_large_inputs_do_not_overflow(cell):
    following = cell(np.full((1, 3), 1e4, np.float32), np.zeros((1, cell.state_dim), np.float32))
    assert np.isfinite(following).all()
