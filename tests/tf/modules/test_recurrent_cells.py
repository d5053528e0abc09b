import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.tf.modules.gru import GRU
from garage_like.tf.modules.lstm import LSTM
from garage_like.tf.quiet_import import tf

CELLS = pytest.mark.parametrize("cell_class", [GRU, LSTM])
TIMES, EPISODES, INPUTS, HIDDEN = 6, 3, 2, 4


def make(cell_class):
    cell = cell_class(INPUTS, HIDDEN, hidden_b_init=lambda shape: np.linspace(-0.5, 0.5, *shape))
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(TIMES * EPISODES, INPUTS)).astype(np.float32)
    states = rng.normal(size=(EPISODES, cell.state_dim)).astype(np.float32)
    return cell, rows, states


@CELLS
def test_whole_episodes_are_what_numpy_steps_come_to(cell_class):
    cell, rows, states = make(cell_class)
    seen = cell(tf.constant(rows), tf.constant(states)).numpy()
    step, stepped = cell.to_numpy(), []
    for at_once in rows.reshape(TIMES, EPISODES, INPUTS):
        states = step(at_once, states)
        stepped.append(states[:, :HIDDEN])
    assert_allclose(seen, np.concatenate(stepped), rtol=1e-5, atol=1e-6)


@CELLS
def test_first_and_second_gradients_are_those_of_finite_differences(cell_class):
    cell, rows, states = make(cell_class)
    variables = cell.trainable_variables
    rng = np.random.default_rng(1)
    directions = [rng.normal(size=v.shape).astype(np.float32) for v in variables]

    @tf.function
    def slope_and_curvature():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                loss = tf.reduce_mean(tf.square(cell(rows, states)))
            gradients = inner.gradient(loss, variables)
            slope = tf.add_n(
                [tf.reduce_sum(g * d) for g, d in zip(gradients, directions, strict=True)]
            )
        products = outer.gradient(slope, variables)
        curvature = tf.add_n(
            [tf.reduce_sum(p * d) for p, d in zip(products, directions, strict=True)]
        )
        return loss, slope, curvature

    def at(step):
        for variable, direction in zip(variables, directions, strict=True):
            variable.assign_add(step * direction)
        values = [float(value) for value in slope_and_curvature()]
        for variable, direction in zip(variables, directions, strict=True):
            variable.assign_sub(step * direction)
        return values

    h = 1e-3
    _, slope, curvature = at(0.0)
    (ahead, slope_ahead, _), (behind, slope_behind, _) = at(h), at(-h)
    assert_allclose(slope, (ahead - behind) / (2 * h), rtol=2e-3)
    assert_allclose(curvature, (slope_ahead - slope_behind) / (2 * h), rtol=5e-3)


@CELLS
def test_gates_begin_side_by_side_each_with_its_own_weights(cell_class):
    cell = cell_class(INPUTS, HIDDEN)
    gates = np.split(cell.input_weights.numpy(), cell.num_gates, axis=1)
    assert len({gate.tobytes() for gate in gates}) == cell.num_gates
    assert cell.state_weights.shape == (HIDDEN, cell.num_gates * HIDDEN)


def test_the_forget_gate_begins_open():
    biases = LSTM(INPUTS, HIDDEN, forget_bias=0.75).biases.numpy()
    assert biases.reshape(4, HIDDEN).tolist() == [[0.0] * 4, [0.75] * 4, [0.0] * 4, [0.0] * 4]


@CELLS
@pytest.mark.parametrize("hidden_dim", [0, 2.0, True])
def test_number_of_units_must_be_positive(cell_class, hidden_dim):
    with pytest.raises(ValueError, match="hidden_dim must be an integer of at least 1, got"):
        cell_class(INPUTS, hidden_dim)
