"""One seed, and a stream for each part that nobody else's draws can change."""

import random
import subprocess
import sys

import numpy as np
import pytest

from garage_like import seeding


@pytest.fixture(autouse=True)
def _seed_state():
    before = seeding.seed_state(), random.getstate(), np.random.get_state()
    seeding.restore_seed_state((None, None))
    yield
    seeding.restore_seed_state(before[0])
    random.setstate(before[1])
    np.random.set_state(before[2])


def test_there_is_no_seed_before_one_is_set():
    assert seeding.get_seed() is None
    seeding.set_seed(7)
    assert seeding.get_seed() == 7


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, np.int64(5)])
def test_any_32_bit_number_is_a_seed(seed):
    seeding.set_seed(seed)
    assert seeding.get_seed() == int(seed)
    assert type(seeding.get_seed()) is int


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_an_error(seed):
    with pytest.raises(ValueError, match=rf"seed must be in \[0, 2\*\*32\), got {seed}"):
        seeding.set_seed(seed)
    assert seeding.get_seed() is None


@pytest.mark.parametrize("seed", [1.0, "1", None, True])
def test_a_seed_that_is_no_integer_is_an_error(seed):
    with pytest.raises(TypeError, match="seed must be an integer, got"):
        seeding.set_seed(seed)
    assert seeding.get_seed() is None


def test_python_and_numpy_are_seeded():
    drawn = []
    for _ in range(2):
        seeding.set_seed(3)
        drawn.append((random.random(), np.random.random()))
    assert drawn[0] == drawn[1]


def test_torch_is_seeded_where_it_is_loaded_and_not_loaded_where_it_is_not():
    pytest.importorskip("torch")
    code = (
        "import sys; from garage_like.seeding import set_seed, seed_framework; set_seed(3);"
        "print('torch' in sys.modules); import torch; seed_framework('torch');"
        "print(torch.initial_seed()); set_seed(4); print(torch.initial_seed())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.split() == ["False", "3", "4"]


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_a_framework_that_is_imported_later_is_seeded(framework):
    pytest.importorskip(framework)
    seed_of = {
        "torch": "torch.initial_seed()",
        "tensorflow": "__import__('tensorflow.python.eager.context', fromlist=['x']).global_seed()",
    }[framework]
    code = (
        "from garage_like.seeding import set_seed; set_seed(2); set_seed(3);"
        f"import {framework}; print({seed_of}, 'exec_module' in vars({framework}.__loader__))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["3", "False"]


def test_a_framework_that_is_not_there_is_missed_as_ever():
    code = (
        "import sys; from garage_like.seeding import set_seed; set_seed(3);"
        "sys.path[:] = [];"
        "import importlib; importlib.invalidate_caches();"
        "import torch"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: No module named 'torch'" in ran.stderr


def test_seeding_a_framework_without_a_seed_does_nothing():
    seeding.seed_framework("torch")
    assert seeding.get_seed() is None


def test_the_same_name_and_numbers_give_the_same_stream():
    seeding.set_seed(1)
    first = seeding.stream("worker", 3).random(4)
    assert first.tobytes() == seeding.stream("worker", 3).random(4).tobytes()


def test_streams_of_other_names_numbers_and_seeds_differ():
    drawn = set()
    for seed in (1, 2):
        seeding.set_seed(seed)
        for name in ("worker", "env"):
            for numbers in ((), (0,), (1,), (0, 1)):
                drawn.add(seeding.stream(name, *numbers).random())
    assert len(drawn) == 16


def test_a_stream_does_not_depend_on_who_else_draws():
    seeding.set_seed(1)
    first = seeding.stream("worker", 0).random()
    seeding.stream("other").random(100)
    random.random()
    np.random.random()
    assert seeding.stream("worker", 0).random() == first


def test_a_stream_is_the_same_in_every_process():
    code = (
        "from garage_like.seeding import *; set_seed(1);"
        "print(stream('worker', 3).integers(2**62), integer_seed('env', 2))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    seeding.set_seed(1)
    expected = seeding.stream("worker", 3).integers(2**62), seeding.integer_seed("env", 2)
    assert tuple(map(int, out.split())) == expected


def test_an_integer_seed_has_32_bits_and_repeats():
    seeding.set_seed(1)
    seed = seeding.integer_seed("env", 0)
    assert 0 <= seed < 2**32
    assert seed == seeding.integer_seed("env", 0) != seeding.integer_seed("env", 1)


def test_a_run_that_was_never_seeded_has_streams_that_can_be_brought_back():
    state = seeding.seed_state()
    assert state[0] is None
    first = seeding.stream("policy").random()
    seeding.restore_seed_state((None, None))
    assert seeding.stream("policy").random() != first
    seeding.restore_seed_state(state)
    assert seeding.stream("policy").random() == first


def test_the_seed_comes_back_too():
    seeding.set_seed(5)
    state = seeding.seed_state()
    first = seeding.stream("policy").random()
    seeding.set_seed(6)
    seeding.restore_seed_state(state)
    assert seeding.get_seed() == 5
    assert seeding.stream("policy").random() == first
