"""State beside the objects: what is watched, saved, put back, named, and left as it was."""

import contextlib
import functools
import sys
import types

import numpy as np
import pytest

from garage_like.snapshot.graph import value_digests
from garage_like.snapshot.graph.call_caches import Calls, calls_of, fill_cache
from garage_like.snapshot.graph.module_state import ModuleState
from garage_like.snapshot.graph.places import find_places

CODE = """
import functools
import numpy as np

COUNT = 0
LARGE = np.zeros(200)
THINGS = {"a": [1]}
HELD = []
UNUSED = 1

def count(seen=[], *, more={}):
    global COUNT
    COUNT += 1
    seen.append(COUNT)
    more[COUNT] = True
    count.calls = COUNT
    return THINGS, HELD, LARGE

def make():
    inside = [0]
    def step():
        inside[0] += 1
    return step

step = make()

@functools.lru_cache(maxsize=2)
def cached(n, m=0):
    return [n, m]

class Agent:
    made = 0
    class Inner:
        deep = 0
    def act(self):
        return count()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A launcher of a user's, as the module that was started."""
    file = tmp_path / "launcher.py"
    file.write_text(CODE)
    module = types.ModuleType("__main__")
    module.__file__ = str(file)
    exec(compile(CODE, str(file), "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def test_places_are_what_functions_and_classes_hold_or_name(own):
    found = set(find_places())
    assert {
        "__main__.COUNT",
        "__main__.THINGS",
        "__main__.count(seen=)",
        "__main__.count(more=)",
        "__main__.step: its variable inside",
        "__main__.cached: its cache",
        "__main__.Agent.made",
        "__main__.Agent.Inner.deep",
    } <= found
    assert "__main__.UNUSED" not in found


HELD_BY = """
ONE, TWO, THREE, FOUR = 1, 2, 3, 4

def one(): return ONE
def two(): return TWO
def three(): return THREE
def four(): return FOUR

REGISTRY, CALLS = {"one": one}, [functools.partial(two)]

def use(fn=three, *, more=(four,)):
    return REGISTRY["one"]() + CALLS[0]() + fn() + more[0]()
"""


def test_what_functions_in_containers_and_defaults_use_is_found(own):
    exec(compile(HELD_BY, own.__file__, "exec"), vars(own))
    names = {f"__main__.{name}" for name in ("ONE", "TWO", "THREE", "FOUR")}
    assert names <= set(find_places([own.use]))


BESIDE = """
import functools

SEEN, UNUSED = set(), set()

@functools.lru_cache(None)
def cached(n):
    SEEN.add(n)
    return n
"""
USING = """
def use():
    return rooms.beside.SEEN, beside.SEEN, remembered(3)
"""


def test_what_is_named_as_a_modules_own_is_found_under_one_name(own, tmp_path, monkeypatch):
    rooms, beside = types.ModuleType("rooms"), types.ModuleType("rooms.beside")
    rooms.__path__, rooms.beside = [str(tmp_path / "rooms")], beside  # without an __init__.py
    beside.__file__ = str(tmp_path / "rooms" / "beside.py")
    exec(compile(BESIDE, beside.__file__, "exec"), vars(beside))
    for module in (rooms, beside):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    vars(own).update(rooms=rooms, beside=beside, remembered=beside.cached)
    exec(compile(USING, own.__file__, "exec"), vars(own))
    expected = {"rooms.beside.SEEN", "rooms.beside.cached: its cache"}
    for found in (find_places([own.use]), find_places()):
        assert expected <= set(found)
        assert [name for name in found if "cached" in name and "beside" not in name] == [
            name for name in found if name == "__main__.cached: its cache"
        ]
        assert found["rooms.beside.SEEN"].value is beside.SEEN
        assert "rooms.beside.UNUSED" not in found


def test_nothing_is_saved_before_anything_changes(own):
    state = ModuleState()
    state.begin()
    assert state.changed({}) == {}
    own.count()
    own.step()
    own.cached(1, m=2)
    own.Agent.Inner.deep = 3
    assert set(state.changed({})) == {
        "__main__.COUNT",
        "__main__.count.calls",
        "__main__.count(seen=)",
        "__main__.count(more=)",
        "__main__.step: its variable inside",
        "__main__.cached: its cache",
        "__main__.Agent.Inner.deep",
    }
    assert state.lost == []


def test_what_is_there_since_training_began_has_changed(own):
    state = ModuleState()
    state.begin()
    own.count()
    assert state.changed({})["__main__.count.calls"] == 1


def test_what_was_saved_is_put_back_where_it_was(own):
    state = ModuleState()
    state.begin()
    own.count()
    own.step()
    own.cached(1, m=2)
    own.cached(5)
    saved = state.changed({})
    vars(own).update(COUNT=0)
    own.cached.cache_clear()
    own.step.__closure__[0].cell_contents = [0]
    own.count.__defaults__ = ([],)
    state.put_back(saved)
    assert own.COUNT == 1
    assert own.count.__defaults__ == ([1],)
    assert own.step.__closure__[0].cell_contents == [1]
    assert own.cached.cache_info().currsize == 2
    assert own.cached(1, m=2) is saved["__main__.cached: its cache"].calls[0].result


def test_what_was_saved_is_put_back_under_names_that_no_function_uses(own):
    state = ModuleState()
    state.begin()
    own.count()
    own.THINGS["a"].append(2)
    own.alias = own.THINGS
    saved = {"__main__.THINGS": {"a": [1, 2]}}
    assert state.changed({})["__main__.THINGS"] == saved["__main__.THINGS"]
    own.THINGS["a"].pop()
    state.put_back(saved)
    assert own.alias is own.THINGS is saved["__main__.THINGS"]


COMMANDS = """
import click
from garage_like import wrap_experiment

MADE, TOLD = [], []

@click.command()
@wrap_experiment
def alone(ctxt):
    MADE.append(1)

@click.group()
def several():
    pass

@several.command()
@wrap_experiment
def one_of_them(ctxt):
    TOLD.append(1)
"""


def test_what_experiments_behind_commands_use_is_found(own):
    exec(compile(COMMANDS, own.__file__, "exec"), vars(own))
    assert {"__main__.MADE", "__main__.TOLD"} <= set(find_places([]))


def test_what_the_run_holds_too_is_one_with_it_again(own):
    state = ModuleState()
    state.begin()
    saved = state.changed({"algo": {"history": own.HELD}})
    assert list(saved) == ["__main__.HELD"]
    again = ModuleState()
    restored = [1]
    again.put_back({"__main__.HELD": saved["__main__.HELD"]._replace(value=restored)})
    assert own.HELD is restored


def test_what_a_script_says_otherwise_now_is_not_overwritten(own):
    state = ModuleState()
    state.begin()
    saved = state.changed({"algo": {"history": own.HELD}})
    own.HELD = edited = ["edited"]
    ModuleState().put_back(saved)
    assert own.HELD is edited


def test_what_has_no_place_here_is_kept_for_the_next_process(own):
    state = ModuleState()
    assert state.put_back({"__main__.elsewhere": 5}) == []
    state.begin()
    assert state.changed({}) == {"__main__.elsewhere": 5}


def test_what_cannot_be_saved_any_more_is_named(own):
    state = ModuleState()
    state.begin()
    own.THINGS["lock"] = (n for n in [1])
    state.changed({})
    (reason,) = state.why_inexact()
    assert reason.startswith("__main__.THINGS changes while training and cannot be saved")


def test_what_an_installed_module_holds_is_not_the_runs(own, monkeypatch):
    installed = types.ModuleType("installed")
    installed.__file__ = "/opt/python/site-packages/installed.py"
    installed.THINGS = own.THINGS
    monkeypatch.setitem(sys.modules, "installed", installed)
    state = ModuleState()
    state.begin()
    own.THINGS["more"] = 1
    assert state.changed({}) == {}
    own.THINGS["lock"] = (n for n in [1])
    assert state.changed({}) == {}
    assert state.why_inexact() == []


def test_failed_restore_leaves_everything_as_it_was(own):
    things, cached = own.THINGS, own.cached(1)
    state = ModuleState()
    with contextlib.suppress(RuntimeError), state.unless_it_fails():
        own.COUNT = 7
        own.THINGS = {}
        things["a"].append(2)
        own.cached.cache_clear()
        raise RuntimeError
    assert own.COUNT == 0
    assert own.THINGS is things
    assert things == {"a": [1]}
    assert own.cached(1) == cached


def test_large_array_is_looked_at_in_turns_and_its_change_is_found(own, monkeypatch):
    monkeypatch.setattr(value_digests, "_PART", 80)
    monkeypatch.setattr(value_digests, "_MOST_PARTS", 5)
    state = ModuleState()
    state.begin()
    assert state.changed({}) == {}
    own.LARGE[37] = 1
    found = [name for _ in range(5) for name in state.changed({})]
    assert "__main__.LARGE" in found


@pytest.mark.parametrize("limits", [{"maxsize": 3}, {"maxsize": None}, {"typed": True}])
def test_cache_is_filled_again_in_its_order(limits):
    calls = []

    @functools.lru_cache(**limits)
    def cached(a, b=0, **named):
        calls.append(a)
        return np.zeros(a)

    for a, named in [(1, {}), (2, {"b": 1}), (3, {"c": 2}), (4, {"b": 1, "c": 2})]:
        cached(a, **named)
    remembered = calls_of(cached)
    fill_cache(cached, Calls([]))
    assert cached.cache_info().currsize == 0
    fill_cache(cached, remembered)
    assert [call[:2] for call in calls_of(cached).calls] == [c[:2] for c in remembered.calls]
    assert cached(4, b=1, c=2) is remembered.calls[-1].result
    assert calls == [1, 2, 3, 4]
    cached(9)
    assert calls == [1, 2, 3, 4, 9]


def test_generator_under_way_is_named_once_it_has_moved(own):
    own.HELD = numbers = (n for n in range(9))
    state = ModuleState()
    state.begin()
    state.changed({})
    assert state.why_inexact() == []
    next(numbers)
    state.changed({})
    assert [reason.split()[0] for reason in state.why_inexact()] == ["__main__.HELD"]


def test_what_the_first_of_two_trainings_changed_is_saved_by_the_second(own):
    state = ModuleState()
    state.begin()
    own.HELD.append("in the first")
    state.begin()
    assert list(state.changed({})) == ["__main__.HELD"]


def test_what_a_function_carried_and_none_does_now_is_told_of(own):
    state = ModuleState()
    state.put_back({"own.gone: its variable count": 3, "own.gone": 4})
    assert state.why_not_put_back() == [
        "own.gone: its variable count was saved, and no code here holds it"
    ]


@pytest.fixture
def settings():
    """Settings of the process, which are then as they were."""
    limit = sys.getrecursionlimit()
    with np.errstate():
        yield limit
    sys.setrecursionlimit(limit)


def test_settings_of_the_process_are_saved_and_put_back(own, settings):
    state, before = ModuleState(), np.geterr()
    state.begin()
    assert state.changed({}) == {}
    np.seterr(under="raise")
    sys.setrecursionlimit(settings + 50)
    saved = state.changed({})
    assert set(saved) == {"numpy.geterr()", "sys.getrecursionlimit()"}
    np.seterr(**before)
    sys.setrecursionlimit(settings)
    state.put_back(saved)
    assert np.geterr()["under"] == "raise"
    assert sys.getrecursionlimit() == settings + 50


def test_trial_that_sets_a_variable_first_leaves_its_default(own):
    code = (
        "import contextvars\nV = contextvars.ContextVar('V', default=5)\ndef use(): return V.get()"
    )
    exec(compile(code, own.__file__, "exec"), vars(own))
    with ModuleState().untouched():
        own.V.set(6)
    assert own.use() == 5


def test_what_a_trial_makes_in_classes_and_modules_goes_again(own):
    with ModuleState().untouched():
        own.Agent.played = 3
        own.Agent.made += 1
        exec("def named():\n    return LATE", vars(own))
        own.LATE = [1]
    assert not hasattr(own.Agent, "played")
    assert not hasattr(own, "LATE")
    assert own.Agent.made == 0
