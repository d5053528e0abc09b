"""TensorFlow's variables, tensors and modules come back with their bits and identity."""

import numpy as np
import pytest

from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.graph.walk import leaves
from garage_like.tf.quiet_import import tf

NUMBERS = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)

VARIABLES = {
    "float32": lambda: tf.Variable(NUMBERS, name="weight"),
    "float64": lambda: tf.Variable(NUMBERS.astype(np.float64)),
    "float16": lambda: tf.Variable(NUMBERS.astype(np.float16)),
    "bfloat16": lambda: tf.Variable(tf.cast(NUMBERS, tf.bfloat16)),
    "bool": lambda: tf.Variable(NUMBERS > 0),
    "int64": lambda: tf.Variable(3, dtype=tf.int64),
    "uint8": lambda: tf.Variable([1, 255], dtype=tf.uint8),
    "complex64": lambda: tf.Variable(NUMBERS.astype(np.complex64) * 1j),
    "strings": lambda: tf.Variable(["a", "bc"]),
    "empty": lambda: tf.Variable(np.zeros((0, 3), np.float32)),
    "frozen": lambda: tf.Variable(NUMBERS, trainable=False, name="frozen/statistics"),
    "any length": lambda: tf.Variable([1.0, 2.0], shape=tf.TensorShape([None])),
    "read on the way": lambda: tf.Variable(
        1.0,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.MEAN,
    ),
}


def described(variable):
    return (
        variable.dtype,
        variable.shape.as_list(),
        variable.name,
        variable.trainable,
        variable.synchronization,
        variable.aggregation,
        variable.numpy().tolist(),
    )


@pytest.mark.parametrize("name", VARIABLES)
def test_variable_comes_back_bit_for_bit(name, reload):
    variable = VARIABLES[name]()
    found = reload(variable)
    assert described(found) == described(variable)
    assert leaves({"v": found}) == leaves({"v": variable})


def test_variable_goes_on_from_its_value(reload):
    variable = tf.Variable([1.0])
    found = reload(variable)
    found.assign_add([2.0])
    assert (found.numpy(), variable.numpy()) == ([3.0], [1.0])


def only_positive(value):
    return tf.maximum(value, 0.0)


def test_constraint_of_a_variable_comes_back(reload):
    found = reload(tf.Variable(1.0, constraint=only_positive))
    assert found.constraint(-1.0) == 0.0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int32", "bool", "string"])
def test_tensor_comes_back_bit_for_bit(dtype, reload):
    tensor = tf.constant(["x", ""]) if dtype == "string" else tf.cast([0, 1, 3], dtype)
    found, again = reload([tensor, tensor])
    assert found is again
    assert found.dtype == tensor.dtype
    assert found.numpy().tolist() == tensor.numpy().tolist()


def test_value_at_capture_is_not_touched_by_later_updates():
    variable = tf.Variable(np.zeros(1000, np.float32))
    pickler = GraphPickler({"v": variable})
    content = pickler.save()
    variable.assign_add(np.ones(1000, np.float32))
    buffers = [bytearray(buffer) for buffer in pickler.buffers]
    assert GraphUnpickler(content, buffers).load()["v"].numpy().sum() == 0.0


def test_memory_of_a_variable_is_not_copied_by_pickling():
    variable = tf.Variable(np.zeros(1000, np.float32))
    pickler = GraphPickler({"v": variable})
    assert len(pickler.save()) < 1000
    (buffer,) = pickler.buffers
    whole = np.asarray(variable.read_value())
    assert buffer.__array_interface__["data"][0] == whole.__array_interface__["data"][0]


class Network(tf.Module):
    """A module with variables in every kind of container, one of them twice, and a trace."""

    def __init__(self):
        super().__init__(name="network")
        self.weight = tf.Variable(NUMBERS, name="weight")
        self.layers = [self.weight, [tf.Variable(2.0)]]
        self.by_name = {"first": self.weight, "count": 1}
        self.pair = (self.weight, 3)

    @tf.function
    def __call__(self, x):
        return x * self.weight


def test_module_comes_back_with_its_ties(reload):
    network = Network()
    network(1.0)
    found = reload(network)
    assert found.layers[0] is found.by_name["first"] is found.pair[0] is found.weight
    assert type(vars(found)["by_name"]) is type(vars(network)["by_name"])
    assert type(vars(found)["pair"]) is type(vars(network)["pair"])
    assert leaves({"n": found}) == leaves({"n": network})


def test_traces_of_a_reloaded_module_read_its_own_variables(reload):
    network = Network()
    network(1.0)
    found = reload(network)
    found.weight.assign(np.zeros_like(NUMBERS))
    assert not found(1.0).numpy().any()
    assert network(1.0).numpy().any()


def test_decorated_functions_that_objects_hold_come_back(reload):
    network = Network()
    network.method = network.__call__
    network.method(1.0)
    scale = tf.function(only_positive, reduce_retracing=True)
    scale(1.0)
    found, found_scale = reload([network, scale])
    assert np.array_equal(found.method(2.0), 2 * NUMBERS)
    assert found_scale(-3.0) == 0.0


def test_generator_goes_on_with_its_state_variable(reload):
    generator = tf.random.Generator.from_seed(3)
    generator.normal((5,))
    found, state = reload([generator, generator.state])
    assert found.state is state
    assert np.array_equal(found.normal((4,)), generator.normal((4,)))


class Algo:
    """What users' algorithms look like."""

    def __init__(self):
        self._optimizer = [tf.Variable(1.0)]
        self.policy = Network()
        self._optimizer.append(self.policy.weight)


def test_tensors_bear_readable_names_and_go_to_their_component(tensors_of):
    assert tensors_of({"algo": Algo()}) == {
        "algo": {"optimizer[0]": ("F32", ())},
        "policy": {"weight": ("F32", (3, 4)), "layers[1][0]": ("F32", ())},
    }


def restore_into(live, saved, fail=False):
    pickler = GraphPickler({"algo": saved})
    content = pickler.save()
    buffers = [bytearray(buffer) for buffer in pickler.buffers]
    with restoring_into(components_of({"algo": live})):
        GraphUnpickler(content, buffers).load()
        if fail:
            raise KeyError


def test_live_variable_gets_the_saved_value_in_place():
    live, saved = Algo(), Algo()
    saved.policy.weight.assign(2 * NUMBERS)
    weight, call = live.policy.weight, live.policy.__call__
    call(1.0)
    restore_into(live, saved)
    assert live.policy.weight is weight
    assert live._optimizer[1] is weight
    assert np.array_equal(call(1.0), 2 * NUMBERS)


def test_live_variable_is_as_it_was_when_a_restore_fails():
    live, saved = Algo(), Algo()
    saved.policy.weight.assign(2 * NUMBERS)
    weight = live.policy.weight
    with pytest.raises(KeyError):
        restore_into(live, saved, fail=True)
    assert live.policy.weight is weight
    assert np.array_equal(weight, NUMBERS)


def test_live_variable_of_another_shape_is_replaced():
    live, saved = Algo(), Algo()
    live.policy.weight = tf.Variable([1.0])
    restore_into(live, saved)
    assert live.policy.weight.shape == (3, 4)


def test_symbol_of_a_traced_function_is_refused_with_its_path():
    kept = {}

    @tf.function
    def keep(x):
        kept["x"] = x
        return x

    keep(tf.constant(1.0))
    with pytest.raises(Exception, match=r"algo\.x cannot be pickled: .*inside a traced function"):
        capture({"algo": kept})
