"""Kinds: found by class, in order; users' own; and no library is named anywhere else."""

import ast
import mmap
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import garage_like
from garage_like import seeding
from garage_like.errors import SnapshotMismatchError
from garage_like.sampler.parcels import pack_worker, unpack_worker
from garage_like.snapshot import Kind, register_kind
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.naming import names_of
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.registry import KINDS, Registry
from garage_like.snapshot.rng import get_global_rng, set_global_rng

PACKAGE = Path(garage_like.__file__).parent
LIBRARIES = re.compile(
    r"\b(torch|tensorflow|keras|jax|flax|mujoco|ale_py|gymnasium|pygame|dowel|numba)\b"
)
# Names of old, and environments: how those of one library behave is a question of its own.
OTHERS = {"renamed.py", "env_check.py", "env_reading.py"}
NAMING_NONE = [
    path
    for room in ("snapshot", "snapshot/graph", "audit", "loading")
    for path in sorted((PACKAGE / room).glob("*.py"))
    if path.name not in OTHERS
]


def words_of(code: str) -> set[str]:
    """Return what a program names, but for what it says to people."""
    tree = ast.parse(code)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.alias):
            words.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            words.add(node.module or "")
        elif isinstance(node, ast.Constant) and id(node) not in told:
            words.add(str(node.value))
    return words


def libraries_named(code: str) -> set[str]:
    return {found for word in words_of(code) for found in LIBRARIES.findall(word)}


@pytest.mark.parametrize("path", NAMING_NONE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_kinds_name_libraries(path: Path) -> None:
    assert libraries_named(path.read_text()) == set()


@pytest.mark.parametrize(
    "code",
    [
        "import torch",
        "from torch import nn",
        "import sys; sys.modules.get('torch')",
        "x.torch.y",
        "from garage_like.snapshot.kinds.torch import TorchKind",
    ],
)
def test_a_library_is_seen_however_it_is_named(code: str) -> None:
    assert libraries_named(code) == {"torch"}
    assert libraries_named(f'"""As torch does."""\n{code.replace("torch", "other")}') == set()


def test_each_library_is_known_by_one_kind() -> None:
    names = [kind.name for kind in KINDS]
    assert len(names) == len(set(names))
    assert {"numpy", "torch", "tensorflow", "keras", "mujoco", "python"} <= set(names)


class Box:
    """What pickle refuses."""

    def __init__(self, numbers: list[float]) -> None:
        self.pages = mmap.mmap(-1, 8 * max(1, len(numbers)))
        self.memory = memoryview(self.pages)[: 8 * len(numbers)].cast("d")
        for place, number in enumerate(numbers):
            self.memory[place] = number


def box_of(numbers: np.ndarray) -> Box:
    return Box(list(numbers))


class BoxKind(Kind):
    """What snapshots have to know of boxes."""

    name = "boxes"
    modules = ("tests_boxes",)

    def __init__(self) -> None:
        self.drawn = 0
        self.seeds: list[int] = []

    def claims(self, cls):
        return issubclass(cls, Box)

    is_named = claims

    def reduce(self, value, pickling):
        return box_of, (pickling.stand_in(np.array(value.memory), value),)

    def parts(self, value):
        return [(".numbers", np.array(value.memory))]

    def seed(self, seed):
        self.seeds.append(seed)

    def rng_state(self):
        return {self.name: self.drawn}

    def set_rng_state(self, state):
        self.drawn = state.get(self.name, self.drawn)


def forget(kinds, registered):
    """Know these kinds, and no others any more."""
    KINDS._kinds, KINDS.registered = kinds, registered
    for forget_answers in KINDS._forget:
        forget_answers()


@pytest.fixture
def registered(monkeypatch):
    """A kind of the test's own, for as long as the test takes."""
    before = list(KINDS), KINDS.registered
    library = types.ModuleType("tests_boxes")
    monkeypatch.setitem(sys.modules, "tests_boxes", library)
    monkeypatch.setattr(seeding, "SEEDED_BY", dict(seeding.SEEDED_BY))
    kind = BoxKind()
    register_kind(kind)
    yield kind
    forget(*before)


def test_objects_of_a_users_kind_are_saved_named_and_compared(registered) -> None:
    graph = {"algo": types.SimpleNamespace(box=Box([1.0, 2.5]))}
    copy = copy_exactly(graph["algo"])
    assert list(copy.box.memory) == [1.0, 2.5]
    assert leaves({"algo": copy}) == leaves(graph)
    copy.box.memory[1] = 2.0
    assert leaves({"algo": copy}) != leaves(graph)
    assert capture(graph).arrays == [{"nbytes": 16, "pieces": [["algo", "box", 0]]}]
    assert [name.path for name in names_of(graph).values()] == ["algo.box"]


def test_workers_elsewhere_are_told_of_kinds(registered) -> None:
    worker = types.SimpleNamespace(_agent=None, _envs=[], box=Box([1.0]))
    parcel = pack_worker(worker)
    forget([kind for kind in KINDS if kind is not registered], [])
    there = unpack_worker(parcel)
    assert list(copy_exactly(there).box.memory) == [1.0]
    assert [kind.name for kind in KINDS.registered] == ["boxes"]


def test_without_their_kind_they_cannot_be_saved() -> None:
    with pytest.raises(TypeError, match="mmap"):
        copy_exactly(Box([1.0]))


def test_its_random_numbers_are_seeded_and_saved(registered) -> None:
    state = seeding.seed_state()
    try:
        seeding.set_seed(8)
    finally:
        seeding.restore_seed_state(state)
    assert registered.seeds[-1] == 8
    registered.drawn = 3
    before = get_global_rng()
    registered.drawn = 4
    set_global_rng(before)
    assert registered.drawn == 3


def test_a_kind_that_comes_after_the_seed_is_seeded_with_it(registered) -> None:
    state = seeding.seed_state()
    seeding.restore_seed_state((5, 5))
    try:
        again = BoxKind()
        register_kind(again)
    finally:
        seeding.restore_seed_state(state)
    assert again.seeds == [5]
    assert [kind for kind in KINDS if kind.name == "boxes"] == [again]


def test_random_numbers_that_nothing_is_known_of_are_no_silent_loss() -> None:
    state = get_global_rng() | {"boxes": 3}
    with pytest.raises(SnapshotMismatchError, match=r"random numbers of boxes.*register_kind"):
        set_global_rng(state)


def test_the_kind_that_was_registered_last_is_asked_first(registered) -> None:
    class Empty(Kind):
        name = "empty"

        def claims(self, cls):
            return issubclass(cls, Box)

        def reduce(self, value, pickling):
            return box_of, (np.zeros(0),)

    register_kind(Empty())
    assert len(copy_exactly(Box([1.0])).memory) == 0
    assert [kind.name for kind in KINDS.of(Box)] == ["empty", "boxes"]


class Unnamed(Kind):
    """Lacks its name."""


class SeedsNoPackage(Kind):
    """Does not say when it is loaded."""

    name = "nameless"

    def seed(self, seed):
        """Do nothing."""


@pytest.mark.parametrize(
    ("kind", "what"),
    [(BoxKind, "got <class"), (Unnamed(), "identifier"), (SeedsNoPackage(), "modules")],
)
def test_what_is_no_kind_is_refused(kind, what: str) -> None:
    with pytest.raises(TypeError, match=what):
        Registry().register(kind)
