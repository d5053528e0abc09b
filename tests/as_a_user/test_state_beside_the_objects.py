"""A launcher keeps a generator and a counter outside of its objects, and is killed."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parent / "drawing_beside_the_objects.py"
LOOP = Path(__file__).parent / "loop_with_functions.py"
LOCALS = Path(__file__).parent / "loops_with_locals.py"
AFTERWARDS = Path(__file__).parent / "afterwards.py"
CARRYING = Path(__file__).parent / "carried_by_functions.py"
RUN = "data/local/experiment/train"
LOG = Path("data/local/experiment/train/progress.csv")


def launch(
    directory: Path, *arguments: str, program: tuple[str | Path, ...] = (LAUNCHER,)
) -> subprocess.CompletedProcess[str]:
    directory.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=directory,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def drawn(directory: Path) -> list[tuple[str, str]]:
    with (directory / LOG).open(newline="") as lines:
        return [(row["Drawn"], row["Counted"]) for row in csv.DictReader(lines)]


def test_the_same_command_goes_on_with_what_the_launcher_itself_holds(tmp_path):
    assert launch(tmp_path / "straight").returncode == 0
    killed = launch(tmp_path / "killed", "3")
    assert killed.returncode == 9, killed.stderr
    again = launch(tmp_path / "killed")
    assert again.returncode == 0, again.stderr
    assert len(drawn(tmp_path / "straight")) == 6
    assert drawn(tmp_path / "killed") == drawn(tmp_path / "straight")


def columns(directory: Path) -> list[list[str]]:
    """Return what each kind of state came to, epoch by epoch; times apart."""
    with (directory / LOG).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows[0]) == 21, rows[0]
    return [[row[name] for name in sorted(row) if "Time" not in name] for row in rows]


def test_what_functions_carry_along_goes_on_by_whichever_command(tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    done = launch(straight, program=(CARRYING,))
    assert done.returncode == 0, done.stderr
    assert launch(killed, "2", program=(CARRYING,)).returncode == 9
    assert launch(killed, "4", program=(CARRYING,)).returncode == 9
    resume = ("-m", "garage_like", "resume", RUN, "--n-epochs", "6")
    resumed = launch(killed, program=resume)
    assert resumed.returncode == 0, resumed.stderr
    again = launch(killed, program=(CARRYING,))
    assert again.returncode == 0, again.stderr
    assert "The resume is exact" in (killed / RUN / "debug.log").read_text()
    assert "numerical" not in (killed / RUN / "debug.log").read_text()
    assert len(columns(straight)) == 7
    assert columns(killed) == columns(straight)


def test_a_loop_goes_on_with_what_the_functions_of_its_script_hold(tmp_path, monkeypatch):
    names = ["Place", "Count", "Total"]

    def found(directory):
        with (directory / LOG).open(newline="") as lines:
            return [[row[name] for name in names] for row in csv.DictReader(lines)]

    done = launch(tmp_path / "straight", program=(LOOP,))
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("DIES_IN", "3")
    assert launch(tmp_path / "killed", program=(LOOP,)).returncode == -9
    monkeypatch.delenv("DIES_IN")
    again = launch(tmp_path / "killed", program=(LOOP,))
    assert again.returncode == 0, again.stderr
    assert "The resume is exact" in (tmp_path / "killed" / RUN / "debug.log").read_text()
    assert len(found(tmp_path / "straight")) == 7
    assert found(tmp_path / "killed") == found(tmp_path / "straight")


@pytest.mark.parametrize(("way", "rows"), [("train", 11), ("bag", 8)])
def test_loop_goes_on_with_its_local_variables(tmp_path, monkeypatch, way, rows):
    def table(directory):
        with (directory / LOG).open(newline="") as lines:
            times = ("EpochTime", "TotalTime")
            return [{k: v for k, v in r.items() if k not in times} for r in csv.DictReader(lines)]

    straight, killed = tmp_path / "straight", tmp_path / "killed"
    done = launch(straight, way, program=(LOCALS,))
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("DIES_AFTER", "3")
    assert launch(killed, way, program=(LOCALS,)).returncode == -9
    if way == "train":  # then in its second stage
        monkeypatch.setenv("DIES_AFTER", "7")
        assert launch(killed, way, program=(LOCALS,)).returncode == -9
        monkeypatch.delenv("DIES_AFTER")
        resumed = launch(killed, program=("-m", "garage_like", "resume", RUN))
        assert resumed.returncode == 0, resumed.stderr
    monkeypatch.delenv("DIES_AFTER", raising=False)
    again = launch(killed, way, program=(LOCALS,))
    assert again.returncode == 0, again.stderr
    log = (killed / RUN / "debug.log").read_text()
    assert "The resume is exact" in log
    assert "numerical" not in log
    assert len(table(straight)) == rows
    assert table(killed) == table(straight)


def test_a_script_goes_on_after_training_with_what_it_has_set_up(tmp_path):
    def found(done):
        return [line for line in done.stdout.splitlines() if line.startswith("found")]

    straight = launch(tmp_path / "straight", program=(AFTERWARDS,))
    assert straight.returncode == 0, straight.stderr
    for epoch in "24":
        assert launch(tmp_path / "killed", epoch, program=(AFTERWARDS,)).returncode == 9
    again = launch(tmp_path / "killed", program=(AFTERWARDS,))
    assert again.returncode == 0, again.stderr
    assert len(found(straight)) == 4
    assert found(again) == found(straight)
    told = (tmp_path / "killed" / RUN / "debug.log").read_text()
    assert "The resume is exact" in told
    assert "numerical" not in told
    done = launch(tmp_path / "killed", program=(AFTERWARDS,))  # nothing is left to do
    assert found(done) == found(straight)
