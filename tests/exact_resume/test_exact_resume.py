"""The promise: k epochs and a resume to n equal n epochs straight, bit for bit.

Every algorithm × environment × worker, resumed in this process and in a fresh one, from the last
snapshot of a run that stopped early and from one in the middle of a run that went to the end.
"""

import shutil
import sys
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments
from experiments import differences

N_EPOCHS = 4
STOPPED_AFTER = 2
MIDDLE = 1

MATRIX = [
    *product(experiments.ALGORITHMS, ("CartPole-v1", "Pendulum-v1"), experiments.WORKERS),
    *product(("ppo",), ("HalfCheetah-v5",), (*experiments.WORKERS, "sync")),
    ("ppo", "CartPole-v1", "native"),
    ("trpo", "Pendulum-v1", "sync"),
    ("own", "CartPole-v1", "sync"),
    ("ppo", "CartPole-v1", "async"),
]
QUICK = {
    ("ppo", "CartPole-v1", "default"),
    ("ppo", "CartPole-v1", "vec"),
    ("ppo", "CartPole-v1", "fragment"),
    ("ppo", "HalfCheetah-v5", "fragment"),
    ("ppo", "CartPole-v1", "native"),
    ("ppo", "HalfCheetah-v5", "sync"),
    ("vpg", "Pendulum-v1", "default"),
    ("trpo", "Pendulum-v1", "fragment"),
    ("cem", "CartPole-v1", "fragment"),
    ("cma_es", "Pendulum-v1", "vec"),
    ("own", "CartPole-v1", "default"),
}
CASES = [
    pytest.param(case, id="-".join(case), marks=() if case in QUICK else pytest.mark.slow)
    for case in MATRIX
]


@pytest.mark.parametrize("case", CASES)
def test_resumed_run_equals_the_run_that_never_stopped(case, tmp_path):
    straight = experiments.train(tmp_path / "straight", case, N_EPOCHS)
    assert len(straight["rows"]) == N_EPOCHS
    experiments.train(tmp_path / "stopped", case, STOPPED_AFTER)
    shutil.copytree(tmp_path / "stopped", tmp_path / "stopped_fresh")
    shutil.copytree(tmp_path / "straight", tmp_path / "middle")
    shutil.copytree(tmp_path / "straight", tmp_path / "middle_fresh")

    resumed = {
        "last, same process": experiments.resume(tmp_path / "stopped", "last", N_EPOCHS),
        "middle, same process": experiments.resume(tmp_path / "middle", MIDDLE, N_EPOCHS),
    }
    jobs = [
        (str(tmp_path / "stopped_fresh"), "last", N_EPOCHS),
        (str(tmp_path / "middle_fresh"), MIDDLE, N_EPOCHS),
    ]
    fresh = experiments.in_fresh_process(jobs, tmp_path)
    resumed["last, fresh process"], resumed["middle, fresh process"] = fresh

    assert {how: differences(straight, outcome)[:8] for how, outcome in resumed.items()} == {
        how: [] for how in resumed
    }


def test_different_seeds_are_seen_to_differ(tmp_path, monkeypatch):
    case = ("cem", "CartPole-v1", "default")
    first = experiments.train(tmp_path / "a", case, 1)
    monkeypatch.setattr(experiments, "set_seed", lambda _: _set_other_seed())
    second = experiments.train(tmp_path / "b", case, 1)
    assert any("algo" in line for line in differences(first, second))


def _set_other_seed() -> None:
    from garage_like.seeding import set_seed

    set_seed(12)
