"""Objects of plain Python that pickle alone refuses, or saves and does not bring back."""

import functools
import logging
import random
import threading
import weakref

import pytest

from garage_like.errors import SnapshotSaveError
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves


class Forwarding:
    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


class ForwardingSlots(Forwarding):
    __slots__ = ("extra",)


class Strict:
    """Sets nothing but what it knows, once it is made."""

    def __init__(self):
        self.__dict__["_held"] = {"a": 1}

    def __getattribute__(self, name):
        return object.__getattribute__(self, name)

    def __getattr__(self, name):
        return self._held[name]

    def __setattr__(self, name, value):
        raise TypeError("read only")


class DivergedError(RuntimeError):
    def __init__(self, reason, code):
        super().__init__(f"{reason} {code}")
        self.code = code

    def told(self):
        return self.code


class NoPortError(OSError):
    def __init__(self, port):
        super().__init__(111, f"no server at {port}")
        self.port = port


@pytest.mark.parametrize("inner", [[1], (1, 2), "text", 3.5, {"a": 1}])
def test_forwarding_object_comes_back_whatever_it_forwards_to(inner):
    found = copy_exactly(Forwarding(inner))
    assert type(found) is Forwarding
    assert found._inner == inner


def test_forwarding_object_keeps_slots_and_identity():
    value = ForwardingSlots([1])
    value.extra = value
    found = copy_exactly(value)
    assert found.extra is found
    assert found.count(1) == 1


def test_object_that_lets_nothing_be_set_comes_back():
    assert copy_exactly(Strict()).a == 1


@pytest.mark.parametrize(
    ("error", "args"), [(DivergedError("nan", 3), ("nan 3",)), (NoPortError(9), None)]
)
def test_exception_with_a_constructor_of_its_own_comes_back(error, args):
    found = copy_exactly(error)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
    assert found.args == (args or error.args)


def test_oserror_keeps_its_number():
    assert copy_exactly(NoPortError(9)).errno == 111


def local_class():
    class Measured:
        @functools.cached_property
        def width(self):
            return 3

    return Measured


def test_cached_property_of_a_class_that_cannot_be_imported():
    value = local_class()()
    found = copy_exactly(value)
    assert "width" not in vars(found)
    assert found.width == 3
    assert vars(found)["width"] == 3


def test_cached_function_that_cannot_be_imported_starts_with_an_empty_cache():
    calls = []

    @functools.lru_cache(maxsize=2, typed=True)
    def twice(n):
        calls.append(n)
        return 2 * n

    twice(1)
    found = copy_exactly({"function": twice, "same": twice})
    assert found["function"] is found["same"]
    assert found["function"](1) == 2
    assert found["function"].cache_parameters() == {"maxsize": 2, "typed": True}
    assert found["function"].cache_info().misses == 1


def test_generator_that_is_through_comes_back_and_another_is_refused():
    spent = (n for n in [1])
    list(spent)
    assert list(copy_exactly({"made_from": spent})["made_from"]) == []
    with pytest.raises(SnapshotSaveError, match=r"algo\.left cannot be pickled"):
        capture({"algo": {"left": (n for n in [1])}})


class Holder:
    def __init__(self, **attributes):
        vars(self).update(attributes)


def test_what_is_not_the_users_is_not_told_to_mend_its_class():
    foreign = threading.Condition()
    with pytest.raises(
        SnapshotSaveError, match=r"all of algo\.x \(threading\.Condition\)"
    ) as raised:
        capture({"algo": Holder(x=foreign)})
    assert "__getstate__" not in str(raised.value)


def test_log_file_is_opened_again_at_its_end(tmp_path):
    with open(tmp_path / "log.txt", "w") as file:
        file.write("one\n")
        file.flush()
        found = copy_exactly(file)
        found.write("two\n")
        found.close()
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\n"


def test_file_that_is_read_goes_on_where_it_was(tmp_path):
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    with open(tmp_path / "in.txt") as file:
        file.readline()
        with copy_exactly(file) as found:
            assert found.readline() == "two\n"
            assert file.readline() == "two\n"


def test_closed_file_comes_back_closed(tmp_path):
    with open(tmp_path / "log.txt", "w") as file:
        pass
    assert copy_exactly(file).closed


def test_handler_of_a_log_file_goes_on_with_it(tmp_path):
    handler = logging.FileHandler(tmp_path / "log.txt")
    handler.setFormatter(logging.Formatter("> %(message)s"))
    record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
    handler.emit(record)
    found = copy_exactly(handler)
    found.emit(record)
    found.close()
    handler.close()
    assert (tmp_path / "log.txt").read_text() == "> said\n> said\n"


def test_logger_is_the_one_of_the_process():
    logger = logging.getLogger("of.the.run")
    assert copy_exactly(logger) is logger
    loose = logging.Logger("of.the.run")
    assert copy_exactly(loose) is logger


def test_capture_names_what_is_made_again(tmp_path):
    with open(tmp_path / "log.txt", "w") as file:
        captured = capture({"algo": Holder(file=file, handler=logging.StreamHandler())})
    assert captured.made_again == ["algo.file (TextIOWrapper)", "algo.handler (StreamHandler)"]


def test_progress_bar_is_as_far_as_it_was(capsys):
    tqdm = pytest.importorskip("tqdm").tqdm
    with tqdm(total=10, desc="epochs") as bar:
        bar.update(4)
        with copy_exactly(bar) as found:
            assert (found.n, found.total, found.desc) == (4, 10, bar.desc)


def test_what_refers_weakly_refers_to_what_came_back():
    target, gone = DivergedError("why", 3), weakref.ref(Forwarding(1))
    held = {
        "target": target,
        "reference": weakref.ref(target),
        "method": weakref.WeakMethod(target.told),
        "gone": gone,
        "values": weakref.WeakValueDictionary(a=target),
        "keys": weakref.WeakKeyDictionary({target: 5}),
    }
    found = copy_exactly(held)
    target = found["target"]
    assert found["reference"]() is target
    assert found["method"]()() == 3
    assert found["gone"]() is None
    assert found["values"]["a"] is target
    assert found["keys"][target] == 5
    assert "keys" in leaves(found)


def test_object_that_refers_to_itself_weakly_comes_back():
    node = Forwarding([])
    node.me = weakref.ref(node)
    reference = copy_exactly([node.me, node])[1].me
    assert reference() is None or reference().me is reference


def test_generator_without_a_state_is_another_one():
    found = copy_exactly([random.SystemRandom()])[0]
    assert type(found) is random.SystemRandom
    assert leaves({"drawn": found}) == {"drawn": "random.SystemRandom"}
