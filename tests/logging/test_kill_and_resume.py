"""A run that is killed and resumed leaves the logs of a run that never was."""

import csv
import json
import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys, time
import numpy as np
from pathlib import Path
from garage_like import Trainer, wrap_experiment
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular, track_data, writer

class Walk(RLAlgorithm):
    policy = None
    position = 0.0
    rng = None

    def train_epoch(self, trainer):
        if self.rng is None:
            self.rng = np.random.default_rng(0)
        for step in self.rng.normal(size=5):
            self.position += step
            track_data("Step (min)", step)
        trainer.total_env_steps += 5
        writer.add_scalar("Mine", self.position, trainer.total_env_steps)
        tabular.record("Position", self.position)
        if trainer.step_itr == int(os.environ.get("KILL_AT", -1)):
            while not list(Path(trainer.run_dir, "snapshots").glob("epoch_*")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        trainer.step_itr += 1

@wrap_experiment(
    auto_resume=True, archive_launch_repo=False, log_interval=2, log_dir=sys.argv[1], console=False
)
def walk(ctxt=None, *, seed=1):
    trainer = Trainer(ctxt)
    trainer.setup(Walk(), None)
    trainer.train(12)

walk()
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "walk.py").write_text(SCRIPT)

    def start(name, kill_at=None):
        env = {**os.environ, "PYTHONPATH": os.getcwd()}
        if kill_at is not None:
            env["KILL_AT"] = str(kill_at)
        ran = subprocess.run(
            [sys.executable, "walk.py", str(tmp_path / name)],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == (0 if kill_at is None else -signal.SIGKILL), ran.stderr
        return tmp_path / name

    return start


def without_times(rows):
    return [{k: v for k, v in row.items() if not k.endswith("Time")} for row in rows]


def test_k03_rows_and_steps_are_those_of_a_run_never_killed(run, read_scalars):
    whole = run("whole")
    for kill_at in (3, 6, 11, None):
        killed = run("killed", kill_at)
    scalars, wanted = read_scalars(killed), read_scalars(whole)
    assert {"Mine", "Position", "Step (min)"} <= scalars.keys()
    assert [step for step, _ in scalars["Mine"]] == list(range(5, 61, 5))
    assert [step for step, _ in scalars["Position"]] == [5, 15, 25, 35, 45, 55, 60]
    for tag in scalars.keys() - {"EpochTime", "TotalTime"}:
        assert scalars[tag] == wanted[tag]
    for name, read in (
        ("progress.csv", lambda file: csv.DictReader(file)),
        ("progress.jsonl", lambda file: map(json.loads, file)),
    ):
        with (whole / name).open() as straight, (killed / name).open() as resumed:
            assert without_times(read(resumed)) == without_times(read(straight))


def test_wall_time_adds_up_over_resumes(run):
    run("killed", 6)
    with (run("killed") / "progress.jsonl").open() as file:
        totals = [json.loads(line)["TotalTime"] for line in file]
    assert totals == sorted(totals)
    assert len(set(totals)) == len(totals)
