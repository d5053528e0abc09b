import copy
import gc
import pickle
import weakref

import cloudpickle
import numpy as np
import pytest

from garage_like.snapshot.graph.naming import names_of
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced

TRACED = []


@traced
def doubled(x):
    TRACED.append("doubled")
    return 2.0 * x


class Counter:
    """Count in a variable, by an amount that is a number of Python's."""

    def __init__(self, amount=1.0):
        self.amount = amount
        self.total = tf.Variable(0.0)

    @traced
    def add(self, x):
        TRACED.append("add")
        return self.total.assign_add(self.amount * tf.reduce_sum(x))

    @staticmethod
    @traced
    def halved(x):
        return 0.5 * x

    @traced(input_signature=[tf.TensorSpec((2,), tf.float32)])
    def pair(self, x):
        TRACED.append(f"pair of {x.dtype.name}")
        return x + self.total


class FasterCounter(Counter):
    @traced
    def add(self, x):
        return super().add(x) + 100.0


@pytest.fixture(autouse=True)
def _no_traces_yet():
    TRACED.clear()


def test_batches_of_all_sizes_share_a_trace():
    counter = Counter()
    for size in (2, 3, 5):
        counter.add(np.ones(size, np.float32))
    assert counter.total.numpy() == 10.0
    assert TRACED == ["add"]


def test_another_kind_of_argument_is_traced_anew():
    counter = Counter()
    counter.add(np.ones((2, 3), np.float32))
    counter.add(np.ones((2, 4), np.float32))
    counter.add(np.float32(1.0))
    assert counter.total.numpy() == 15.0
    assert TRACED == ["add"] * 3


def test_each_object_has_traces_of_its_own():
    first, second = Counter(1.0), Counter(10.0)
    for counter in (first, second):
        counter.add(np.ones(2, np.float32))
    assert (first.total.numpy(), second.total.numpy()) == (2.0, 20.0)


def test_a_method_is_traced_again_for_another_setting():
    counter, other = Counter(), Counter()
    for amount in (1.0, 3.0, 3.0):
        counter.amount = amount
        counter.add(np.ones(2, np.float32))
        other.add(np.ones(2, np.float32))
    assert float(counter.total) == 14.0
    assert float(other.total) == 6.0
    counter.name = "of no account"
    counter.add(np.ones(2, np.float32))
    assert TRACED.count("add") == 3
    assert len(vars(counter)["_traces"]._functions) == 1


def test_a_setting_that_only_a_base_class_reads_counts():
    counter, x = FasterCounter(), np.ones(2, np.float32)
    assert counter.add(x).numpy() == 102.0
    counter.amount = 3.0
    assert counter.add(x).numpy() == 108.0


def test_a_function_is_traced_once():
    assert [doubled(np.ones(n, np.float32)).numpy().sum() for n in (1, 2)] == [2.0, 4.0]
    assert TRACED == ["doubled"]


def test_static_methods_and_methods_of_base_classes_work():
    assert Counter.halved(np.ones(2, np.float32)).numpy().tolist() == [0.5, 0.5]
    counter = FasterCounter()
    assert counter.add(np.ones(2, np.float32)).numpy() == 102.0
    assert Counter.add(counter, np.ones(1, np.float32)).numpy() == 3.0


def test_a_signature_may_be_given():
    counter = Counter()
    assert counter.pair([1, 2]).numpy().tolist() == [1.0, 2.0]
    assert counter.pair([3.0, 4.0]).numpy().tolist() == [3.0, 4.0]
    assert TRACED == ["pair of float32"]


@pytest.mark.parametrize("library", [pickle, cloudpickle])
def test_a_pickled_object_has_no_traces_and_goes_on_the_same(library):
    counter = Counter()
    counter.add(np.ones(2, np.float32))
    counter.amount = 5.0
    content = library.dumps(counter)
    assert len(content) < 3000
    twin = library.loads(content)
    assert counter.add(np.ones(1, np.float32)).numpy() == 7.0
    assert twin.add(np.ones(1, np.float32)).numpy() == 7.0


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_does_not_use_the_traces_of_its_original(make):
    counter = Counter()
    counter.add(np.ones(1, np.float32))
    twin = make(counter)
    twin.total = tf.Variable(50.0)
    twin.add(np.ones(1, np.float32))
    assert (counter.total.numpy(), twin.total.numpy()) == (1.0, 51.0)


def test_bound_methods_and_functions_are_pickled_by_reference():
    counter = Counter()
    kept = cloudpickle.loads(cloudpickle.dumps({"counter": counter, "add": counter.add}))
    kept["add"](np.ones(2, np.float32))
    assert kept["counter"].total.numpy() == 2.0


def test_a_local_function_is_pickled_by_value():
    @traced(jit_compile=False)
    def tripled(x):
        return 3.0 * x

    twin = cloudpickle.loads(cloudpickle.dumps(tripled))
    assert twin(np.ones(2, np.float32)).numpy().tolist() == [3.0, 3.0]


def test_a_local_class_is_pickled_by_value():
    class Local:
        @traced
        def tripled(self, x):
            return 3.0 * x

    twin = cloudpickle.loads(cloudpickle.dumps(Local()))
    assert twin.tripled(np.ones(2, np.float32)).numpy().tolist() == [3.0, 3.0]


def test_a_snapshot_names_nothing_by_the_traces_that_hold_it():
    counter = Counter()
    counter.add(np.ones(2, np.float32))
    counter.deep = {"further": {"down": np.zeros(3)}}
    names = names_of({"algo": counter})
    assert names[id(counter.deep["further"]["down"])].path == "algo.deep.further.down"


def test_traces_keep_no_object_alive():
    counter = Counter()
    counter.add(np.ones(2, np.float32))
    gone = weakref.ref(counter)
    del counter
    gc.collect()
    assert gone() is None
