"""A run that a scheduler interrupts again and again is the run that it never did."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compared import arrays, rows
from slurm_stand_in import Slurm

SCRIPT = Path(__file__).parent / "preempted.py"
RUN = Path("data/local/experiment/preempted")


def straight(directory: Path, n_epochs: int) -> Path:
    directory.mkdir()
    variables = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "SECONDS_A_STEP": ""}
    command = [sys.executable, SCRIPT, str(n_epochs), "0"]
    subprocess.run(command, cwd=directory, env={**os.environ, **variables}, check=True)
    return directory / RUN


def written(directory: Path, *arguments: object) -> Path:
    """Write a batch script by the documented command."""
    directory.mkdir()
    command = [sys.executable, "-m", "garage_like", "slurm", *map(str, arguments)]
    made = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    (directory / "job.sbatch").write_text(made.stdout)
    return directory / "job.sbatch"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_epochs", "seconds", "limit", "lead"),
    [(16, 0.6, 9, 3), (3, 3.0, 9, 2), (22, 0.8, 7, 3)],
    ids=["short", "longer_than_the_lead", "five_jobs"],
)
def test_a_job_goes_on_over_time_limits(n_epochs, seconds, limit, lead, tmp_path, request):
    job = tmp_path / "job"
    options = ("--time", f"0:00:{limit:02d}", "--lead", lead)
    script = written(job, *options, SCRIPT, n_epochs, seconds)
    assert "#SBATCH --requeue" in script.read_text()
    found = Slurm(tmp_path / "tools").sbatch(script, job, most=20)
    assert len(found) > (4 if "five" in request.node.name else 1)
    assert found[-1] == 0
    check(job, straight(tmp_path / "straight", n_epochs))
    assert [path.name for path in (job / RUN).parent.iterdir()] == ["preempted"]


def check(job: Path, straight: Path) -> None:
    ours, theirs = arrays(job / RUN), arrays(straight)
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(job / RUN) == rows(straight)
    assert "Restore from snapshot" in (job / RUN / "debug.log").read_text()


@pytest.mark.slow
def test_a_job_that_is_cancelled_goes_on_when_it_is_submitted_again(tmp_path, monkeypatch):
    job, slurm = tmp_path / "job", Slurm(tmp_path / "tools")
    script = written(job, "--time", "0:00:50", "--lead", 3, SCRIPT, 12, 0.6)
    assert slurm.sbatch(script, job, cancel_after=7.0) == [128 + signal.SIGTERM]
    assert "Stopped after epoch" in (job / "job.log").read_text()
    monkeypatch.setenv("SECONDS_A_STEP", "30")  # longer than the grace: KILL comes
    assert slurm.sbatch(script, job, cancel_after=7.0) == [-signal.SIGKILL]
    monkeypatch.setenv("SECONDS_A_STEP", "0.1")
    assert slurm.sbatch(script, job) == [0]
    check(job, straight(tmp_path / "straight", 12))


@pytest.mark.slow
def test_epochs_longer_than_a_job_never_end_and_harm_nothing(tmp_path, monkeypatch):
    job, slurm = tmp_path / "job", Slurm(tmp_path / "tools")
    script = written(job, "--time", "0:00:07", "--lead", 2, SCRIPT, 20, 0.6)
    assert slurm.sbatch(script, job, most=1)[-1] != 0  # some epochs, to begin with
    monkeypatch.setenv("SECONDS_A_STEP", "30")
    assert len(slurm.sbatch(script, job, most=2)) == 2  # queued again both times
    monkeypatch.setenv("SECONDS_A_STEP", "0.01")
    assert slurm.sbatch(script, job)[-1] == 0
    check(job, straight(tmp_path / "straight", 20))


def test_the_batch_script(tmp_path):
    text = written(tmp_path / "a", "--option=--gpus=1", SCRIPT, "3", "--seed", "a b").read_text()
    assert text.startswith("#!/bin/bash\n#SBATCH --job-name=preempted\n#SBATCH --time=4:00:00\n")
    assert "#SBATCH --signal=B:USR1@300\n" in text
    assert "#SBATCH --gpus=1\n" in text
    assert f"slurm_job --limit=14400 --margin=60 {SCRIPT} 3 --seed 'a b'\n" in text


@pytest.mark.parametrize(
    ("given", "said"),
    [(("--time", "soon"), "expected MM"), (("--time", "5", "--lead", "300"), "less than --time")],
)
def test_limits_that_make_no_sense_are_told(given, said, tmp_path):
    command = [sys.executable, "-m", "garage_like", "slurm", *given, str(SCRIPT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert said in done.stderr


SUBMITIT = """
import preempted
import submitit

from garage_like.adapters.submitit import Resumed

executor = submitit.LocalExecutor("jobs", max_num_timeout=100)
executor.update_parameters(timeout_min=9 / 60, signal_delay_s=4)
job = executor.submit(Resumed(preempted.preempted), n_epochs=16)
print(job.result())
"""


# As docs/preemption.md has it, but for the time until the signal.
SUBMITIT_ON_SLURM = """
import preempted
import submitit

from garage_like.adapters.submitit import Resumed

executor = submitit.AutoExecutor("jobs", slurm_max_num_timeout=1000)
executor.update_parameters(timeout_min=1, slurm_signal_delay_s=52)
job = executor.submit(Resumed(preempted.preempted), n_epochs=16)
print(job.result())
"""


@pytest.mark.slow
def test_a_job_of_submitit_on_slurm_saves_before_it_is_queued_again(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    there, slurm = tmp_path / "there", Slurm(tmp_path / "tools")
    there.mkdir()
    (there / "submits.py").write_text(SUBMITIT_ON_SLURM)
    monkeypatch.setenv("SECONDS_A_STEP", "0.6")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    monkeypatch.setenv("PYTHONPATH", str(SCRIPT.parent), prepend=os.pathsep)
    path = f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [sys.executable, "submits.py"],
        cwd=there,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as submits:
        until = time.monotonic() + 60
        while not slurm.submitted.exists() and time.monotonic() < until:
            time.sleep(0.1)
        found = slurm.sbatch(Path(slurm.submitted.read_text().strip()), there)
        assert len(found) > 1, (there / "job.log").read_text()
        assert submits.communicate(timeout=60)[0].splitlines()[-1:] == ["16"]
    check(there, straight(tmp_path / "straight", 16))
    assert "numerical" not in (there / RUN / "debug.log").read_text()


@pytest.mark.slow
def test_a_job_of_submitit_saves_before_it_is_queued_again(tmp_path):
    pytest.importorskip("submitit")
    there = tmp_path / "there"
    there.mkdir()
    (there / "submits.py").write_text(SUBMITIT)
    variables = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "SECONDS_A_STEP": "0.6"}
    path = os.pathsep.join([str(SCRIPT.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "submits.py"],
        cwd=there,
        env={**os.environ, **variables, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.stdout.splitlines()[-1:] == ["16"], done.stderr
    check(there, straight(tmp_path / "straight", 16))
    assert "numerical" not in (there / RUN / "debug.log").read_text()
