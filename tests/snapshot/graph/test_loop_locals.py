"""Local variables of a loop: which of them outlive a turn, what they hold, and binding them."""

import sys

import pytest

from garage_like.snapshot.graph.loop_locals import LoopLocals, outliving
from garage_like.snapshot.graph.module_state import ModuleState


def turns(noted):
    note(noted, sys._getframe(1))
    yield 1


def note(noted, frame):
    names = outliving(frame.f_code, frame.f_lasti)
    noted.append(names.intersection(frame.f_locals))  # some Pythons list those of comprehensions


def counting(noted):
    total, unused, best = 0, 1, None
    for turn in turns(noted):
        gained = turn * 2
        if gained > 3:
            best = gained
        total += gained
        for unused in range(3):  # set before it is read
            print(unused)
    return best


def appending(noted):
    found = []
    for turn in turns(noted):
        found.append([one + 1 for one in range(turn)])


def handling(noted):
    kept, shown = 0, 1
    for turn in turns(noted):
        try:
            kept = turn / 0
        except ZeroDivisionError:
            print(shown)
        with open("/dev/null") as file:
            file.read()
    return kept


def tallying(noted):
    seen, never = 0, 0

    def tally():
        nonlocal seen
        seen += 1

    for never in turns(noted):  # noqa: B007
        tally()


def breaking(noted):
    left = 3
    while True:
        for _ in turns(noted):
            left -= 1
            if not left:
                break
        else:
            continue
        return


def deleting(noted):
    given, gone = 1, 2
    for turn in turns(noted):
        gone = turn
        print(given)
        del gone


def asking(noted):
    total, turn = 0, 0
    while turn < 20:  # often enough for Python to go into the function at once, past its caches
        turn = ask(noted, turn)
        total += turn


def ask(noted, turn):
    note(noted, sys._getframe(1))
    return turn + 1


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (asking, {"noted", "total"}),
        (counting, {"total", "best"}),
        (appending, {"found"}),
        (handling, {"kept", "shown"}),
        (tallying, {"seen", "tally"}),
        (breaking, {"left", "noted"}),
        (deleting, {"given"}),
    ],
)
def test_variables_that_are_read_before_they_are_set_outlive_a_turn(function, expected):
    noted = []
    function(noted)
    assert noted[0] == noted[-1] == expected


def test_variables_are_bound_from_outside_and_kept_when_the_loop_ends():
    watched = []

    def epochs():
        watched.append(LoopLocals(sys._getframe(1)))
        (place,) = watched[0].places().values()
        place.bind(10)
        yield 1
        yield 2
        watched[0].leave()

    def train():
        total = 0
        for gained in epochs():
            total += gained
        return total

    assert train() == 13
    ((name, place),) = watched[0].places().items()
    assert name == f"{__name__}.{train.__qualname__}: its local total"
    assert place.value == 13


BAR = """
def bar(turns):
    shown = 0
    for turn in turns:
        shown += 1
        yield turn
"""


def test_bar_of_a_library_is_gone_through_by_the_users_function():
    found, library = [], {}
    exec(compile(BAR, "/opt/python/site-packages/bar.py", "exec"), library)

    def epochs():
        found.append(LoopLocals(sys._getframe(1)).places())
        yield 1

    def train():
        total = 0
        for gained in library["bar"](epochs()):
            total += gained
        return total

    assert train() == 1
    assert list(found[0]) == [f"{__name__}.{train.__qualname__}: its local total"]


@pytest.fixture
def entered():
    """A function of the loop's that is gone through; gives the state and a way to go on."""
    state = ModuleState()

    def epochs():
        state.loop.enter(sys._getframe(1), {"algo": None})
        yield from range(10)

    return state, epochs


def test_what_cannot_be_saved_and_changes_is_named(entered):
    state, epochs = entered

    def train():
        made, opened = iter([]), (one for one in "a")
        for _ in epochs():
            yield state.changed({"algo": None}), state.lost
            print(opened, made)
            opened = (one for one in "b")

    turns = train()
    assert next(turns) == ({}, [])
    found, lost = next(turns)
    assert not found
    assert [name.rpartition(" ")[2] for name in lost] == ["opened"]


def test_generator_that_goes_on_is_named_and_not_saved(entered):
    state, epochs = entered

    def train():
        batches = (one for one in "abc")
        for _ in epochs():
            yield state.changed({"algo": None}), state.lost
            next(batches)

    turns = train()
    assert next(turns) == ({}, [])
    found, lost = next(turns)
    assert not found
    assert [name.rpartition(" ")[2] for name in lost] == ["batches"]


def test_where_an_iterator_stands_is_not_seen(entered):
    state, epochs = entered

    def train():
        for _number, _epoch in enumerate(epochs()):
            yield state.changed({"algo": None})

    turns = train()
    assert [next(turns), next(turns)] == [{}, {}]
