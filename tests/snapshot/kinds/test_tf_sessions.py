"""What is built on placeholders goes on in another session."""

import numpy as np
import pytest

from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.kinds.tf_sessions import get_session_variables, set_session_variables
from garage_like.snapshot.rng import hidden_random_numbers
from garage_like.tf.quiet_import import tf

v1 = tf.compat.v1
ROWS = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def session():
    with v1.Session(graph=tf.Graph()) as inner:
        pass
    made = v1.Session(graph=inner.graph)
    with made.as_default():
        yield made
    made.close()


class Learner:
    """A learner of 2017: placeholders, variables and operations as attributes."""

    def __init__(self, units=2):
        session = v1.get_default_session()
        with session.graph.as_default(), session.as_default():
            self.inputs = v1.placeholder(tf.float32, (None, 4))
            self.weight = v1.get_variable("weight", (4, units))
            self.loss = tf.reduce_mean(tf.square(tf.tanh(self.inputs @ self.weight)))
            self.train = v1.train.AdamOptimizer(0.1).minimize(self.loss)
            session.run(v1.global_variables_initializer())

    def step(self):
        found = v1.get_default_session().run([self.train, self.loss], {self.inputs: ROWS})
        return found[1].tobytes()


def save(value):
    pickler = GraphPickler({"algo": value})
    return pickler.save(), [bytearray(buffer) for buffer in pickler.buffers]


def test_learner_goes_on_in_a_session_of_its_own(session):
    learner = Learner()
    learner.step()
    saved = save(learner)
    expected = [learner.step() for _ in range(3)]
    with v1.Session(graph=tf.Graph()) as other:
        graph = other.graph
    with v1.Session(graph=graph).as_default():
        found = GraphUnpickler(*saved).load()["algo"]
        assert [found.step() for _ in range(3)] == expected
        assert found.weight.graph is graph


def test_learner_goes_on_in_the_session_where_it_was_built(session):
    learner = Learner()
    saved = save(learner)
    size = len(session.graph.get_operations())
    expected = learner.step()
    found = GraphUnpickler(*saved).load()["algo"]
    assert found.inputs is learner.inputs
    assert found.weight is learner.weight
    assert found.step() == expected
    assert len(session.graph.get_operations()) == size


def test_session_that_an_object_holds_is_the_default_one_afterwards(session):
    learner = Learner()
    learner.session = session
    assert GraphUnpickler(*save(learner)).load()["algo"].session is session


def test_uninitialized_variables_are_left_out(session):
    with session.graph.as_default():
        v1.get_variable("early", (), initializer=v1.zeros_initializer())
        session.run(v1.global_variables_initializer())
        v1.get_variable("late", ())
    assert list(get_session_variables(session)) == ["early:0"]


def test_values_can_be_set_by_name(session):
    Learner()
    values = get_session_variables(session)
    values["weight:0"] = values["weight:0"] + 1
    size = len(session.graph.get_operations())
    set_session_variables(session, values)
    assert np.array_equal(get_session_variables(session)["weight:0"], values["weight:0"])
    assert len(session.graph.get_operations()) == size


def test_unknown_variable_is_refused(session):
    with pytest.raises(SnapshotMismatchError, match=r"session variables that the graph lacks: x:0"):
        set_session_variables(session, {"x:0": np.zeros(2)})


def test_variable_of_another_shape_is_refused(session):
    Learner(units=3)
    with pytest.raises(SnapshotMismatchError, match=r"weight:0 has shape \(4, 3\)"):
        set_session_variables(session, {"weight:0": np.zeros((4, 2))})


def test_another_graph_in_the_session_is_refused(session):
    saved = save(Learner())
    with v1.Session(graph=tf.Graph()) as other:
        v1.placeholder(tf.float32, name="Placeholder")
    with (
        v1.Session(graph=other.graph).as_default(),
        pytest.raises(SnapshotMismatchError, match="the session's graph is another"),
    ):
        GraphUnpickler(*saved).load()


def test_graph_outside_of_its_session_is_refused():
    with v1.Session(graph=tf.Graph()).as_default():
        learner = Learner()
    with pytest.raises(Exception, match=r"algo.*cannot be pickled: .*with TFTrainer"):
        capture({"algo": learner})


def test_restoring_without_a_session_says_what_is_needed():
    with v1.Session(graph=tf.Graph()).as_default():
        saved = save(Learner())
    with pytest.raises(SnapshotMismatchError, match="restore inside `with TFTrainer"):
        GraphUnpickler(*saved).load()


def test_random_operation_in_a_session_is_reported_but_not_an_initializer(session):
    Learner()
    assert not any("session's graph" in reason for reason in hidden_random_numbers())
    with session.graph.as_default():
        v1.random_normal((), name="noise")
    assert any("noise/RandomStandardNormal" in reason for reason in hidden_random_numbers())


def test_values_are_named_by_their_variables(session, tensors_of):
    found = tensors_of({"algo": Learner(), "tf_session": session})
    assert found["algo"] == {"weight": ("F32", (4, 2))}
    assert found["tf_session"].keys() == {
        *("weight/Adam:0", "weight/Adam_1:0", "beta1_power:0", "beta2_power:0")
    }
