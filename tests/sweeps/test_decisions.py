"""What a sweep decides follows from seeds and results: not from what came first, nor from kills."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
from test_sweeps import SCRIPT, command, ended, results

from garage_like import seeding
from garage_like.cli import main
from garage_like.runs.family import families
from garage_like.snapshot.disk.lock import RunLock
from garage_like.sweeps import Population, Rungs, Sweep, carriers, parse_setting, trial
from garage_like.sweeps.carriers import slurm
from garage_like.sweeps.journal import Journal
from garage_like.sweeps.suggestions import suggested
from garage_like.sweeps.trials import Trials

DRIVER = Path(__file__).parent / "driver.py"
NAMES = [f"{number:04d}" for number in range(9)]


def score(name: str, n_epochs: int) -> float:
    return float(np.random.default_rng(int(name)).random() * 10 + n_epochs)


def given_up(directory: Path, order: np.random.Generator) -> dict[str, object]:
    """Let nine trials of nine epochs come in some order; return all that was decided."""
    directory.mkdir()
    journal, done = Journal(directory), dict.fromkeys(NAMES, 0)
    rungs = Rungs()
    while True:
        left = rungs.decide(
            NAMES,
            journal,
            has_ended=lambda name: done[name] == 9,
            waits_after=lambda name, rung: rung <= done[name] < 9,
            score=lambda name: score(name, done[name]),
        )
        free = [n for n in NAMES if n in left and done[n] < min(left[n], 9)]
        if not free:
            return journal.decisions
        done[str(order.choice(free))] += 1


def test_rungs_decide_alike_in_whatever_order_trials_come(tmp_path):
    orders = [np.random.default_rng(k) for k in range(10)]
    found = [given_up(tmp_path / str(k), order) for k, order in enumerate(orders)]
    decisions = found[0]
    assert all(other == decisions for other in found)
    stopped = [key for key, decision in decisions.items() if not decision["goes_on"]]
    assert stopped
    assert len([key for key in decisions if key.endswith("after 1 epochs")]) == 9
    best = max(NAMES, key=lambda name: score(name, 0))
    assert not [key for key in stopped if key.startswith(best)]


def test_what_was_decided_is_not_decided_again(tmp_path):
    assert Journal(tmp_path).decided("a", lambda: {"b": 0.1}) == {"b": 0.1}
    assert Journal(tmp_path).decided("a", lambda: 2) == {"b": 0.1}


@pytest.mark.parametrize(("first", "factor"), [(0, 3), (1, 1)])
def test_rungs_that_are_none_are_told(first, factor):
    with pytest.raises(ValueError, match="first must be at least 1"):
        Rungs(first, factor)


def test_values_near_others_stay_within_bounds():
    rng = seeding.stream("test", entropy=1)
    lr, n, a = (parse_setting(text) for text in ("lr=1e-4..1e-2", "n=2..8", "a=x,y,z"))
    near = [lr.explore(1e-2, rng) for _ in range(50)]
    assert all(1e-4 <= value <= 1e-2 for value in near)
    assert {1e-2, 8e-3} < set(near)
    assert {n.explore(8, rng) for _ in range(50)} <= set(range(2, 9))
    small, signed = (parse_setting(text) for text in ("n=1..64", "x=-1.0..1.0"))
    assert {1, 2} < {small.explore(1, rng) for _ in range(50)}
    assert {1, 3} < {small.explore(2, rng) for _ in range(50)}
    assert 0.0 not in {signed.explore(0.0, rng) for _ in range(50)}
    assert {a.explore("x", rng) for _ in range(50)} >= {"x", "y"}


def test_suggestions_follow_from_results_and_the_seed():
    pytest.importorskip("optuna")
    settings = [parse_setting(text) for text in ("lr=1e-5..1e-1", "n=2..64", "a=tanh,[1]")]
    first = suggested(settings, [], 12, seed=3)
    assert first == suggested(settings, [], 12, seed=3)
    assert first != suggested(settings, [], 12, seed=4)
    results = [(one, -abs(np.log10(one["lr"]) + 3)) for one in first[:-1]] + [(first[-1], None)]
    second = suggested(settings, results, 6, seed=3)
    assert second == suggested(settings, results, 6, seed=3)
    assert all(1e-5 <= one["lr"] <= 1e-1 and one["a"] in ("tanh", [1]) for one in second)
    off = [np.mean([abs(np.log10(one["lr"]) + 3) for one in ones]) for ones in (first, second)]
    assert off[1] < off[0]


def stand_in(tmp_path, monkeypatch, does: str) -> None:
    """Let `sbatch` be a script."""
    sbatch = tmp_path / "sbatch"
    sbatch.write_text(f"#!/bin/sh\n{does}\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.fixture
def lifeline():
    ends = os.pipe()
    yield ends[0]
    for end in ends:
        os.close(end)


def test_slurm_is_asked_to_wait_and_gets_the_command_itself(tmp_path, monkeypatch, lifeline):
    stand_in(tmp_path, monkeypatch, f'printf "%s\\n" "$@" > {tmp_path}/asked')
    assert slurm(["--time=10"])('{"a": "b c"}', tmp_path / "log", lifeline) == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0] == "--wait"
    assert "--time=10" in asked
    assert asked[-1].startswith("exec ")
    assert asked[-1].endswith("""-m garage_like.sweeps.trial '{"a": "b c"}'""")


@pytest.mark.parametrize(("place", "said"), [("slurm", "sbatch"), ("ray", "this needs Ray")])
def test_place_that_cannot_be_reached_is_told_in_a_line(tmp_path, monkeypatch, place, said):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ["sweep", SCRIPT, "--set", "seed=1,2", "--dir", tmp_path / "sweep", "--on", place]
    failed = CliRunner().invoke(main, list(map(str, words)))
    assert (failed.exit_code, failed.output.count("\n")) == (1, 1)
    assert said in failed.output
    assert not list((tmp_path / "sweep").glob("*.done.json"))


def test_a_trial_that_slurm_did_not_take_has_not_failed(tmp_path, monkeypatch, capfd):
    stand_in(tmp_path, monkeypatch, "echo sbatch: error: no such partition >&2; exit 1")
    monkeypatch.setattr(carriers, "_PAUSES", (0.01, 0.02))
    told = []
    sweep = Sweep(tmp_path / "sweep", SCRIPT, [parse_setting("seed=1,2")], carrier=slurm())
    sweep.run(told=told.append)
    assert [outcome.status for outcome in (*told, *sweep.outcomes())] == [None] * 4
    assert not list((tmp_path / "sweep").glob("*.done.json"))
    said = capfd.readouterr().err
    assert said.count("0001  not taken by Slurm, tried again in") == 2
    assert said.count("left to the next start: sbatch: error: no such partition") == 2


def test_a_full_queue_is_asked_again(tmp_path, monkeypatch, lifeline):
    full = f"echo x >> {tmp_path}/asked; [ $(wc -l < {tmp_path}/asked) = 3 ]"
    stand_in(tmp_path, monkeypatch, f"{full} || {{ echo sbatch: error: full >&2; exit 1; }}")
    monkeypatch.setattr(carriers, "_PAUSES", (0.01,) * 3)
    assert slurm()("{}", tmp_path / "log", lifeline) == 0


def test_a_sweep_that_is_stopped_asks_slurm_no_more(tmp_path, monkeypatch):
    stand_in(
        tmp_path, monkeypatch, f"echo x >> {tmp_path}/asked; echo sbatch: error: full >&2; exit 1"
    )
    ends = os.pipe()
    os.close(ends[1])  # as when the sweep has died
    assert slurm()("{}", tmp_path / "log", ends[0]) != 0
    os.close(ends[0])
    assert (tmp_path / "asked").read_text() == "x\n"


def test_a_trial_on_slurm_says_itself_that_it_failed(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, 'for last; do :; done; sh -c "$last"; exit 1')
    settings = [parse_setting("name=broken")]
    sweep = Sweep(tmp_path / "sweep", SCRIPT, settings, carrier=slurm())
    sweep.run()
    assert [outcome.status for outcome in sweep.outcomes()] == [1]


@pytest.mark.parametrize(("error", "says"), [("KeyError", True), ("RunLockedError", False)])
def test_a_trial_that_another_process_took_over_has_not_ended(tmp_path, monkeypatch, error, says):
    script, done = tmp_path / "lost.py", tmp_path / "0000.done.json"
    script.write_text(f"from garage_like.errors import RunLockedError\nraise {error}('x')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [""])
    monkeypatch.setattr(sys, "path", [*sys.path])
    job = {"script": script, "arguments": [], "parameters": {}, "options": {}, "until": None}
    with pytest.raises((KeyError, SystemExit)) as ended_with:
        trial.run({**job, "run_dir": tmp_path / "0000", "done": done, "cwd": tmp_path})
    assert (done.exists(), getattr(ended_with.value, "code", 1)) == (says, 1 if says else 143)


class Deciding(Trials):
    """Decide who is next, once; another process may have decided otherwise."""

    def _recall(self):
        self.known = dict(self._journal.decisions)

    def members(self):
        return []

    def _ready(self):
        self.known["next"] = self._journal.decided("next", lambda: "ours")
        return []


def test_what_another_process_decided_meanwhile_is_followed(tmp_path):
    late = Deciding(tmp_path, SCRIPT, [], {}, "metric", "max")
    Journal(tmp_path).decided("next", lambda: "theirs")
    late.run()
    assert late.known == {"next": "theirs"}
    other = Deciding(tmp_path, SCRIPT, [], {}, "metric", "max")
    (tmp_path / "sweep.json").write_text('{"script": "other.py"}')
    with pytest.raises(ValueError, match=r"holds another sweep, of other\.py"):
        other.run()


def test_numbers_that_make_no_sense_are_told(tmp_path):
    settings = [parse_setting("lr=1..2")]
    with pytest.raises(ValueError, match="n_members must be at least 2"):
        Population(tmp_path, SCRIPT, settings, 1)
    with pytest.raises(ValueError, match="search must be one of"):
        Sweep(tmp_path, SCRIPT, settings, search="optuna")


def test_a_trial_that_is_trained_elsewhere_has_not_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(trial, "_PATIENCE", 0.0)
    lock = RunLock(tmp_path)
    lock.acquire()
    with pytest.raises(SystemExit) as raised:
        trial._wait_for(tmp_path)
    lock.release()
    assert raised.value.code >= 128  # of one that goes on with the next sweep
    assert "another process is writing to this run" in capsys.readouterr().err
    trial._wait_for(tmp_path)


def driven(directory: Path, what: str, slow: float = 0.0) -> subprocess.Popen:
    directory.mkdir(exist_ok=True)
    variables = {"OMP_NUM_THREADS": "1", "SLOW": str(slow), "TRAINED": str(directory / "trained")}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", DRIVER, what, "1" if slow == 0.0 else "2"],
        cwd=directory,
        env={**os.environ, **variables},
    )


@pytest.mark.slow
@pytest.mark.parametrize("what", ["rungs", "population"])
def test_a_killed_sweep_decides_as_one_that_was_not_and_trains_nothing_twice(what, tmp_path):
    pytest.importorskip("optuna")
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert driven(straight, what).wait(300) == 0
    draws = np.random.default_rng(1)
    for _ in range(3):
        process = driven(killed, what, slow=0.2)
        try:
            process.wait(2.0 + 3.0 * draws.random())
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    process = driven(killed, what, slow=0.01)
    assert process.wait(300) == 0
    plans = [json.loads((d / "sweep/decisions.json").read_text()) for d in (straight, killed)]
    assert dict(sorted(plans[0].items())) == dict(sorted(plans[1].items()))
    assert results(killed, "sweep") == results(straight, "sweep")
    trained = (killed / "trained").read_text().splitlines()
    assert sorted(trained) == sorted((straight / "trained").read_text().splitlines())
    if what == "rungs":
        assert any(not decision.get("goes_on", True) for decision in _dicts(plans[0]))
    else:
        (first, *_) = families(killed / "sweep")
        assert first.children


def _dicts(plan):
    return [decision for decision in plan.values() if isinstance(decision, dict)]


@pytest.mark.slow
def test_commands_of_both_kinds(tmp_path):
    pytest.importorskip("optuna")
    setting = ("--set", "extra_std=0.1..10")
    pruned = (*setting, "--search", "optuna", "--trials", 2, "--prune", "asha", "--mode", "min")
    status, said = ended(command(tmp_path / "one", *pruned))
    assert status == 0, said
    assert "best: trial 000" in said
    population = (*setting, "--population", 2, "--interval", 2, "--seeds", 1)
    status, said = ended(command(tmp_path / "two", *population))
    assert status == 0, said
    status, said = ended(command(tmp_path / "three", *setting, "--search", "optuna"))
    assert (status, "--trials N" in said) == (2, True)
