"""Sweeps that are killed ten times, at random, are those that were never killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_decisions import DRIVER
from test_sweeps import results

from garage_like.runs.family import families

N_KILLS = 10
JOBS = 2


def driven(directory: Path, what: str, slow: float) -> subprocess.Popen:
    """Start the driver, in a process group of its own."""
    directory.mkdir(exist_ok=True)
    variables = {"OMP_NUM_THREADS": "1", "SLOW": str(slow), "TRAINED": str(directory / "trained")}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", DRIVER, what, str(JOBS)],
        cwd=directory,
        env={**os.environ, **variables},
        start_new_session=True,
    )


def trained(directory: Path) -> list[str]:
    path = directory / "trained"
    return path.read_text().splitlines() if path.exists() else []


def ended(directory: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in (directory / "sweep").glob("*.done.json")}


def decisions(directory: Path) -> dict[str, object]:
    path = directory / "sweep/decisions.json"
    return json.loads(path.read_text()) if path.exists() else {}


def epochs_of(names: set[str], lines: list[str]) -> list[str]:
    return [line for line in lines if line.split()[0] in names]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["many", "eight"])
def test_ten_kills_change_nothing_and_what_has_ended_is_not_trained_again(what, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert driven(straight, what, 0.0).wait(300) == 0
    n_epochs = len(trained(straight))
    draws = np.random.default_rng(sum(map(ord, what)))
    moments = sorted(draws.choice(np.arange(1, n_epochs - 4), N_KILLS, replace=False))
    done: dict[str, int] = {}
    n_all = 0
    for number, moment in enumerate(moments):
        process = driven(killed, what, slow=0.1)
        begun = len(trained(killed))
        until = time.monotonic() + 120
        # At least one epoch of this start, whatever an earlier one's trials have done meanwhile.
        while len(trained(killed)) < max(moment, begun + 1) and time.monotonic() < until:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
        time.sleep(0.15 * draws.random())
        if number % 2:  # all of it; else its trials save, and end by themselves
            os.killpg(process.pid, signal.SIGKILL)
            n_all += 1
        else:
            process.kill()
        assert process.wait() == -signal.SIGKILL
        time.sleep(0.5)  # what was asked to end has ended, or said nothing more of ended trials
        done |= {name: len(epochs_of({name}, trained(killed))) for name in ended(killed) - {*done}}
    process = driven(killed, what, slow=0.0)
    assert process.wait(300) == 0
    theirs, ours = results(straight, "sweep"), results(killed, "sweep")
    assert [key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key)] == []
    assert decisions(killed) == decisions(straight)
    lines = trained(killed)
    assert {name: len(epochs_of({name}, lines)) for name in done} == done
    assert set(lines) == set(trained(straight))
    # Killed with its driver, a trial loses what it has not saved; two were under way.
    assert n_epochs <= len(lines) <= n_epochs + n_all * JOBS * 2
    if what == "many":
        assert len([key for key in ours if key.endswith("parameters")]) == 24
    else:
        assert any(family.children for family in families(killed / "sweep"))
