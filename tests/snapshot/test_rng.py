import random
from typing import Any

import numpy as np
import pytest
import torch

from garage_like import seeding
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.numba import NumbaKind
from garage_like.snapshot.rng import (
    generator_state,
    get_global_rng,
    global_rng_untouched,
    is_generator_class,
    set_global_rng,
    state_digest,
)


def generator_digest(generator: Any) -> str:
    return state_digest(generator_state(generator))


DRAWS = {
    "Python": random.random,
    "Python, normal": lambda: random.gauss(0, 1),
    "NumPy": np.random.random,
    "NumPy, normal": np.random.standard_normal,
    "torch": lambda: torch.rand(1).item(),
    "torch, normal": lambda: torch.randn(1).item(),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("drawn", [0, 1, 7])
def test_generator_goes_on_from_a_saved_state(name, drawn):
    draw = DRAWS[name]
    with global_rng_untouched():
        for _ in range(drawn):
            draw()
        state = copy_exactly(get_global_rng())
        expected = [draw() for _ in range(20)]
        set_global_rng(state)
        assert [draw() for _ in range(20)] == expected


def test_seed_of_the_run_is_restored():
    with global_rng_untouched():
        seeding.set_seed(41)
        state = copy_exactly(get_global_rng())
        expected = seeding.stream("worker", 1).random()
        seeding.set_seed(42)
        set_global_rng(state)
        assert seeding.get_seed() == 41
        assert seeding.stream("worker", 1).random() == expected


def test_run_that_was_never_seeded_is_restored_too():
    with global_rng_untouched():
        seeding.restore_seed_state((None, 12345678901234567890))
        state = copy_exactly(get_global_rng())
        seeding.set_seed(1)
        set_global_rng(state)
        assert seeding.get_seed() is None
        assert seeding.get_entropy() == 12345678901234567890


def draw_and_fail():
    with global_rng_untouched():
        for draw in DRAWS.values():
            draw()
        raise RuntimeError


def test_nothing_is_disturbed_even_by_an_error():
    before = get_global_rng()
    with pytest.raises(RuntimeError):
        draw_and_fail()
    assert leaves(get_global_rng()) == leaves(before)


def test_torch_is_not_loaded_by_looking(run_python):
    run_python(
        """
import sys
from garage_like.snapshot.rng import get_global_rng, set_global_rng
state = get_global_rng()
set_global_rng(state)
assert 'torch' not in state and 'torch' not in sys.modules
"""
    )


def test_state_without_torch_leaves_torch_alone():
    with global_rng_untouched():
        state = get_global_rng()
        del state["torch"]
        expected = torch.get_rng_state()
        set_global_rng(state)
        assert torch.equal(torch.get_rng_state(), expected)


@pytest.mark.parametrize("kind", ["generator", "random state", "python", "torch"])
def test_digest_of_a_generator_changes_with_each_draw_and_follows_its_state(kind: str) -> None:
    def make() -> Any:
        if kind == "torch":
            return torch.Generator().manual_seed(3)
        makers = {
            "generator": np.random.default_rng,
            "random state": np.random.RandomState,
            "python": random.Random,
        }
        return makers[kind](3)

    def draw(generator: Any) -> None:
        if kind == "torch":
            torch.rand(1, generator=generator)
        else:
            generator.random()

    one, other = make(), make()
    assert is_generator_class(type(one))
    assert generator_digest(one) == generator_digest(other)
    before, digest = generator_state(one), generator_digest(one)
    draw(one)
    assert state_digest(before) == digest
    assert generator_digest(one) != generator_digest(other)
    draw(other)
    assert generator_digest(one) == generator_digest(other)


def test_digest_of_a_generator_tells_how_many_children_it_has_spawned() -> None:
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    one.spawn(1)
    assert generator_digest(one) != generator_digest(other)


def test_capture_notes_every_generator_by_its_path() -> None:
    class Part:
        def __init__(self) -> None:
            self.rng = np.random.default_rng(1)
            self.others = [random.Random(2), np.random.RandomState(3)]

    captured = capture({"algo": Part(), "rng": get_global_rng()})
    assert list(captured.generators) == [
        "algo.rng",
        "algo.others[0]",
        "algo.others[1]",
        "rng.python",
        "rng.numpy",
    ]


def test_what_numba_draws_goes_on_once_it_has_drawn():
    numba = pytest.importorskip("numba")
    numba._helperlib.rnd_seed(numba._helperlib.rnd_get_np_state_ptr(), 4)
    draw = numba.njit(lambda: np.random.random() + np.random.standard_normal())
    with global_rng_untouched():
        assert "numba" not in NumbaKind().rng_state()  # the script seeds it again
        draw()
        state = copy_exactly(get_global_rng())
        expected = [draw() for _ in range(400)]
        set_global_rng(state)
        assert [draw() for _ in range(400)] == expected
    assert "numba_python" not in state


def test_place_in_what_numba_draws_is_saved_where_it_looks_like_none():
    numba = pytest.importorskip("numba")
    kind, pointer = NumbaKind(), numba._helperlib.rnd_get_np_state_ptr()
    numba._helperlib.rnd_seed(pointer, 4)
    assert kind.rng_state() == {}
    draw = numba.njit(lambda: np.random.random())
    for _ in range(312):
        draw()
    assert numba._helperlib.rnd_get_state(pointer)[0] == 624
    assert "numba" in kind.rng_state()
