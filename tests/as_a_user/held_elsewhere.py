"""State that is neither a global nor an attribute that is named: each function counts its calls."""

import contextvars
import decimal
import functools
import os
import sys
import threading

VARIABLE = contextvars.ContextVar("VARIABLE", default=0)
OF_A_THREAD = threading.local()


class Counted:
    """A property of its own kind, which counts how often it is read."""

    def __init__(self):
        self.count = 0

    def __get__(self, instance, owner=None):
        self.count += 1
        return self.count


class Holder:
    count = Counted()


class Child(Holder):
    """Gets an attribute of its own when it counts first."""

    made = 0

    def make(self):
        type(self).made += 1
        return type(self).made


class Grandchild(Child):
    pass


def counting(function):
    calls = [0]

    @functools.wraps(function)
    def counted():
        calls[0] += 1
        return calls[0] * function()

    return counted


@counting
def decorated():
    return 2


@counting
def decorated_too():
    return 3


def _append(items, *, to):
    to.append(items[0])
    items[0] += 1
    return sum(to)


BOUND = functools.partial(_append, [1], to=[])
IN_A_DICT = {"one": counting(lambda: 1), "ten": counting(lambda: 10)}


def in_the_environment():
    os.environ["HELD_ELSEWHERE"] = str(int(os.environ.get("HELD_ELSEWHERE", 0)) + 1)
    return int(os.environ["HELD_ELSEWHERE"])


def by_its_name():
    module = sys.modules["held_elsewhere"]
    setattr(module, "made_by_name", getattr(module, "made_by_name", 0) + 1)  # noqa: B010
    return module.made_by_name


def counts():
    VARIABLE.set(VARIABLE.get() + 1)
    OF_A_THREAD.count = getattr(OF_A_THREAD, "count", 0) + 1
    decimal.getcontext().prec += 1
    return {
        "Variable": VARIABLE.get(),
        "Thread": OF_A_THREAD.count,
        "Precision": decimal.getcontext().prec,
        "Property": Holder().count,
        "Inherited": Grandchild().make(),
        "Decorated": decorated() + decorated_too(),
        "Bound": BOUND(),
        "Dict": IN_A_DICT["one"]() + IN_A_DICT["ten"]() * IN_A_DICT["ten"](),
        "Environment": in_the_environment(),
        "Named": by_its_name(),
    }
