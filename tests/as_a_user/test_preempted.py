"""A run that a scheduler interrupts again and again is the run that it never did."""

import os
import subprocess
import sys
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
    [(16, 0.6, 9, 3), (3, 3.0, 9, 2)],
    ids=["short", "longer_than_the_lead"],
)
def test_a_job_goes_on_over_time_limits(n_epochs, seconds, limit, lead, tmp_path):
    job = tmp_path / "job"
    options = ("--time", f"0:00:{limit:02d}", "--lead", lead)
    script = written(job, *options, SCRIPT, n_epochs, seconds)
    found = Slurm(tmp_path / "tools").sbatch(script, job)
    assert len(found) > 1
    assert found[-1] == 0
    ours, theirs = arrays(job / RUN), arrays(straight(tmp_path / "straight", n_epochs))
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(job / RUN) == rows(tmp_path / "straight" / RUN)
    assert "Restore from snapshot" in (job / RUN / "debug.log").read_text()
    assert [path.name for path in (job / RUN).parent.iterdir()] == ["preempted"]


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
    ours, theirs = arrays(there / RUN), arrays(straight(tmp_path / "straight", 16))
    assert [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)] == []
    assert rows(there / RUN) == rows(tmp_path / "straight" / RUN)
    log = (there / RUN / "debug.log").read_text()
    assert log.count("Restore from snapshot") >= 1
    assert "numerical" not in log
