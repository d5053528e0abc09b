"""Global random numbers of TensorFlow and Keras go on; those that cannot are found out."""

import gc

import keras
import numpy as np
import pytest

from garage_like import seeding
from garage_like.snapshot.fingerprint import take_fingerprint
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.rng import (
    get_global_rng,
    global_rng_untouched,
    hidden_random_numbers,
    set_global_rng,
)
from garage_like.tf.quiet_import import tf

DRAWS = {
    "global generator": lambda: tf.random.get_global_generator().normal((3,)),
    "Keras": lambda: keras.random.normal((3,)),
    "operation outside of functions": lambda: tf.random.normal((3,)),
}


@pytest.fixture(autouse=True)
def untouched():
    """Leave no seed, generator or trace to other tests."""
    from tensorflow.python.eager import context  # quietly loaded by now

    runtime = context.context()
    runtime.ensure_initialized()
    before = set(runtime.list_function_names())
    with global_rng_untouched():
        seeding.set_seed(3)
        yield
    gc.collect()  # functions of TensorFlow that nobody holds any more
    for name in set(runtime.list_function_names()) - before:
        runtime.remove_function(name)


@pytest.mark.parametrize("name", DRAWS)
def test_generator_goes_on_from_a_saved_state(name):
    draw = DRAWS[name]
    draw()
    state = copy_exactly(get_global_rng())
    expected = [draw().numpy().tolist() for _ in range(5)]
    set_global_rng(state)
    assert [draw().numpy().tolist() for _ in range(5)] == expected


def test_live_global_generator_is_set_in_place():
    generator = tf.random.get_global_generator()
    state = get_global_rng()
    expected = generator.normal((2,)).numpy().tolist()
    set_global_rng(state)
    assert tf.random.get_global_generator() is generator
    assert generator.normal((2,)).numpy().tolist() == expected


def test_restoring_a_state_without_a_generator_drops_it():
    tf.random.set_global_generator(tf.random.Generator.from_seed(1))
    state = get_global_rng()
    state["tensorflow"] = {**state["tensorflow"], "generator": None}
    keras.random.normal((2,))
    state["tensorflow"]["keras"] = None
    set_global_rng(state)
    after = get_global_rng()["tensorflow"]
    assert (after["generator"], after["keras"]) == (None, None)


def test_traced_operation_with_a_hidden_counter_is_reported():
    @tf.function
    def explore(x):
        return x + tf.random.normal(())

    before = set(hidden_random_numbers())
    explore(1.0)
    (reason,) = set(hidden_random_numbers()) - before
    assert "RandomStandardNormal in the traced function explore keeps its counter" in reason
    assert "use tf.random.Generator" in reason


def test_operation_inside_control_flow_is_reported():
    @tf.function
    def wander(x):
        return tf.while_loop(lambda i: i < 3.0, lambda i: (i + tf.random.uniform(()),), [x])

    before = set(hidden_random_numbers())
    wander(tf.constant(0.0))
    assert any("RandomUniform" in reason for reason in set(hidden_random_numbers()) - before)


def test_what_can_be_saved_is_not_reported():
    generator = tf.random.Generator.from_seed(1)
    dropout = keras.layers.Dropout(0.5)

    @tf.function
    def draw(x):
        stateless = tf.random.stateless_normal((3,), seed=(1, 2))
        return dropout(x, training=True) + generator.normal((3,)) + stateless

    before = set(hidden_random_numbers())
    draw(np.ones(3, np.float32))
    assert set(hidden_random_numbers()) <= before


def test_unseeded_operation_outside_of_functions_is_reported():
    tf.random.set_seed(None)
    tf.random.uniform((2,))
    assert any("run without a seed" in reason for reason in hidden_random_numbers())


def test_fingerprint_has_what_bits_of_tensorflow_depend_on():
    found = take_fingerprint()
    assert found["versions"]["tensorflow"] == tf.__version__
    assert found["tensorflow"]["intra_op_threads"] == 1
    assert set(found["tensorflow"]) >= {"inter_op_threads", "onednn", "op_determinism"}
