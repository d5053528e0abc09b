"""A sweep that is killed and started again is one that was never killed, and repeats nothing."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from garage_like.snapshot import read_snapshot
from garage_like.snapshot.disk.lock import RunLock
from garage_like.sweeps import Setting, Sweep, parse_setting
from garage_like.sweeps.settings import drawn, grid

SCRIPT = Path(__file__).parent / "script.py"
SETTINGS = ("--set", "best_frac=0.25,0.5", "--seeds", "2")


def command(directory: Path, *arguments: object, slow: float = 0.0) -> subprocess.Popen:
    directory.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "garage_like", "sweep", SCRIPT, *map(str, arguments)],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1", "SLOW": str(slow), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen) -> tuple[int, str]:
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def results(directory: Path, where: str = "data/local/sweeps/script") -> dict[str, object]:
    """Return all weights and rows of each trial, without how long anything took."""
    found: dict[str, object] = {}
    for run in sorted((directory / where).glob("[0-9]" * 4 + "*/")):
        snapshot = read_snapshot(run)
        for component in snapshot.components:
            for name, array in snapshot.tensors(component).items():
                found[f"{run.name} {component} {name}"] = np.ascontiguousarray(array).tobytes()
        with (run / "progress.csv").open(newline="") as lines:
            found[f"{run.name} rows"] = [
                {key: value for key, value in row.items() if "Time" not in key}
                for row in csv.DictReader(lines)
            ]
        found[f"{run.name} parameters"] = json.loads((run / "variant.json").read_text())
    return found


def test_each_combination_is_a_run_of_its_own(tmp_path):
    status, said = ended(command(tmp_path, *SETTINGS, "--jobs", 2))
    assert status == 0, said
    found = results(tmp_path)
    parameters = [found[f"{number:04d} parameters"] for number in range(4)]
    assert parameters == [
        {"best_frac": fraction, "extra_std": 1.0, "name": "from the script", "seed": seed}
        for fraction in (0.25, 0.5)
        for seed in (1, 2)
    ]
    assert [len(found[f"{number:04d} rows"]) for number in range(4)] == [4] * 4
    assert len(re.findall(r"^000\d  best_frac=0\.\d+ seed=\d  \S+, done$", said, re.M)) == 4
    assert re.search(r"best: trial 000\d, Evaluation/AverageReturn", said)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/snapshots/*")}
    status, said = ended(command(tmp_path, *SETTINGS))
    assert (status, "done" in said) == (0, False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/snapshots/*")} == before
    status, said = ended(command(tmp_path, "--set", "best_frac=0.5"))
    assert (status, "holds another sweep" in said) == (1, True)


@pytest.mark.slow
def test_sweep_that_is_killed_goes_on_and_repeats_nothing(tmp_path):
    assert ended(command(tmp_path / "straight", *SETTINGS))[0] == 0
    killed = tmp_path / "killed"
    for kill in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
        driver = command(killed, *SETTINGS, "--jobs", 2, slow=0.4)
        done = len(list(killed.rglob("snapshots/epoch_*")))
        until = time.monotonic() + 60
        while time.monotonic() < until and done >= len(list(killed.rglob("snapshots/epoch_*"))):
            time.sleep(0.1)
        time.sleep(0.8)
        driver.send_signal(kill)
        said, _ = driver.communicate(timeout=60)
        if kill == signal.SIGINT:  # trials were told, and have ended before the sweep
            assert "the same command goes on" in said
            for run in (killed / "data/local/sweeps/script").glob("*/"):
                lock = RunLock(run)
                lock.acquire()
                lock.release()
    status, said = ended(command(killed, *SETTINGS, "--jobs", 2))
    assert status == 0, said
    assert results(killed) == results(tmp_path / "straight")
    logs = [path.read_text() for path in killed.rglob("*/debug.log")]
    assert any("Restore from snapshot" in log for log in logs)


@pytest.mark.slow
def test_each_trial_has_a_mirror_of_its_own_and_comes_back_from_there(tmp_path, monkeypatch):
    pytest.importorskip("obstore")
    assert ended(command(tmp_path / "straight", *SETTINGS))[0] == 0
    lost, far = tmp_path / "lost", tmp_path / "far"
    monkeypatch.setenv("MIRROR", f"file://{far}")
    monkeypatch.setenv("TRAINED", str(tmp_path / "trained"))
    driver = command(lost, *SETTINGS, "--jobs", 2, slow=0.5)
    until = time.monotonic() + 90
    while len(list(far.glob("000[01]/index/*/epoch_000001*"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.communicate()
    shutil.rmtree(lost)
    status, said = ended(command(lost, *SETTINGS, "--jobs", 2))
    assert status == 0, said
    assert {path.name for path in far.iterdir()} == {f"{number:04d}" for number in range(4)}
    assert results(lost) == results(tmp_path / "straight")
    trained = (tmp_path / "trained").read_text().splitlines()
    assert trained.count("0000 0") == trained.count("0001 0") == 1


def test_trial_that_fails_is_told_and_the_others_go_on(tmp_path):
    status, said = ended(command(tmp_path, "--set", "name=broken,fine"))
    assert status == 1
    assert re.search(r"0000  name=broken  failed with status 1, see .*0000\.log", said)
    assert re.search(r"0001  name=fine  \S+, done", said)
    place = tmp_path / "data/local/sweeps/script"
    assert "KeyError: 'broken'" in (place / "0000.log").read_text()
    shutil.rmtree(place / "0001")
    status, said = ended(command(tmp_path, "--set", "name=broken,fine"))
    assert status == 1
    again = "remove its .done.json in data/local/sweeps/script to try one again"
    assert said == f"failed: 0000; {again}\ntheir runs are gone: 0001; {again}\n"


def test_parameter_that_the_experiment_does_not_take_is_told(tmp_path):
    status, _ = ended(command(tmp_path, "--set", "best_fraction=0.5"))
    log = (tmp_path / "data/local/sweeps/script/0000.log").read_text()
    assert status == 1
    assert "did you mean 'best_frac'?" in log


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("lr=1e-3,3e-4", Setting("lr", (1e-3, 3e-4))),
        ("n=1,2", Setting("n", (1, 2))),
        ("env=CartPole-v1", Setting("env", ("CartPole-v1",))),
        ("flag=true,null", Setting("flag", (True, None))),
        ("lr=1e-4..1e-2", Setting("lr", low=1e-4, high=1e-2)),
        ("n=2..8", Setting("n", low=2, high=8, whole=True)),
    ],
)
def test_settings_are_read(text, setting):
    assert parse_setting(text) == setting


@pytest.mark.parametrize("text", ["lr", "=3", "lr=", "a b=3", "lr=2..1", "lr=a..b", "lr=1..true"])
def test_settings_that_are_none_are_told(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        parse_setting(text)


def test_draws_follow_from_seed_and_number_alone():
    settings = [parse_setting("lr=1e-4..1e-1"), parse_setting("n=2..8"), parse_setting("a=1,2")]
    trials = [drawn(settings, 3, number) for number in range(200)]
    assert trials[150] == drawn(settings, 3, 150)
    assert trials[0] != drawn(settings, 4, 0)
    assert {trial["n"] for trial in trials} == set(range(2, 9))
    assert 0.2 < np.mean([trial["lr"] < 1e-3 for trial in trials]) < 0.46
    with pytest.raises(ValueError, match=r"lr is a range, .*--search random"):
        list(grid(settings))


def test_parameter_that_is_set_twice_is_told(tmp_path):
    with pytest.raises(ValueError, match="seed: set twice"):
        Sweep(tmp_path, SCRIPT, [parse_setting("seed=1,2")], seeds=2)
    with pytest.raises(FileNotFoundError, match="no such script"):
        Sweep(tmp_path, tmp_path / "none.py", [])
