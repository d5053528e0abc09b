import os
import subprocess
import sys

import torch


def run(program, **environment):
    unset = {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}
    inherited = {key: value for key, value in os.environ.items() if key not in unset}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()


def draws_after_seed_5(count):
    generator = torch.Generator().manual_seed(5)
    return [str(torch.rand(1, generator=generator).item()) for _ in range(count)]


def test_importing_sets_one_thread_and_the_seed_that_was_set_before():
    program = """
from garage_like.seeding import set_seed
set_seed(5)
import garage_like.torch, torch
print(torch.get_num_threads(), torch.rand(1).item())
"""
    assert run(program) == ["1", *draws_after_seed_5(1)]


def test_importing_heeds_the_environments_threads_and_does_not_rewind_torch():
    program = """
import torch
from garage_like.seeding import set_seed
set_seed(5)
print(torch.rand(1).item())
import garage_like.torch
print(torch.rand(1).item(), torch.get_num_threads())
"""
    assert run(program, OMP_NUM_THREADS="2") == [*draws_after_seed_5(2), "2"]
